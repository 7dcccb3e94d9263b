//! What plugin authors have on their machines beside `aistack`: the compilers of JavaScript and Python, which lie in the
//! user's cache, and a few programs of every Unix.

use super::{PeerError, find_program};
use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use std::{fs, path::PathBuf};

/// The author's cache, with the compiler of a language in it, in the version that the SDK pins: componentize-js for `js`,
/// componentize-py for `python`. The SDK would fetch it by itself; a test does not wait for 400 MB.
///
/// # Errors
/// [`PeerError::Missing`] when it is not there.
pub fn compiler(lang: &'static str) -> Result<PathBuf, PeerError> {
    let cache = cache()?;
    let (what, mark) = match lang {
        "js" => {
            // As sdk/js/build/tools.js names the folder.
            let pins = crate::repository().join("sdk/js/toolchain");
            let mut pinned = Sha256::new();
            for name in ["package-lock.json", "index.js"] {
                pinned.update(fs::read(pins.join(name)).context("the pins of componentize-js")?);
            }
            let tag = &hex::encode(pinned.finalize())[..12];
            ("componentize-js", cache.join(format!("js-{tag}")).join("package.json"))
        }
        _ => {
            // As sdk/python/aistack_build/tools.py names it; the version of Python is at its end.
            let text = fs::read_to_string(crate::repository().join("sdk/python/aistack_build/tools.py"));
            let text = text.context("the pin of componentize-py")?;
            let version = text.lines().find_map(|l| l.strip_prefix("COMPONENTIZE_PY = \""));
            let version = version.context("the pin of componentize-py")?.trim_end_matches('"');
            let prefix = format!("python-{version}-");
            let folders = fs::read_dir(&cache).into_iter().flatten().flatten().map(|e| e.path());
            let mut whole = folders.filter(|f| {
                let name = f.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(&prefix) && f.join(".complete").exists()
            });
            (
                "componentize-py",
                whole.next().unwrap_or_else(|| cache.join(prefix)).join(".complete"),
            )
        }
    };
    if mark.exists() {
        return Ok(cache);
    }
    Err(PeerError::Missing {
        what: format!("{what} ({})", mark.display()),
        part: if lang == "js" { "js" } else { "python" },
    })
}

/// Nothing, when all these programs are there.
///
/// # Errors
/// [`PeerError::Missing`] for the first that is not.
pub fn programs(names: &[&str]) -> Result<(), PeerError> {
    match names.iter().find(|n| find_program(n, &[]).is_none()) {
        None => Ok(()),
        Some(name) => Err(PeerError::Missing {
            what: (*name).to_owned(),
            part: "tutorials",
        }),
    }
}

/// As both SDKs find it.
fn cache() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(own) = set("AISTACK_AUTHOR_CACHE") {
        return Ok(own);
    }
    let user = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    Ok(user
        .context("neither XDG_CACHE_HOME nor HOME is set")?
        .join("aistack/author"))
}
