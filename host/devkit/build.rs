//! Lists what a new plugin project is made of (templates, SDK, contract), so that it travels inside the binary and an
//! author needs no checkout of this repository.

use std::{env, fmt::Write as _, fs, io, path::Path};

/// What tools leave behind beside sources.
const LEFT_BEHIND: &[&str] = &["target", "node_modules", "dist", ".venv", "__pycache__"];
const PARTS: &[&str] = &[
    "sdk/Cargo.toml",
    "sdk/Cargo.lock",
    "sdk/MANIFEST.md",
    "sdk/rust",
    "sdk/bindings",
    "sdk/test",
    "sdk/js",
    "sdk/python",
    "sdk/templates",
    "wit",
];

fn main() -> io::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../..");
    let root = root.canonicalize()?;
    let mut list = String::from("&[\n");
    for part in PARTS.iter().filter(|p| root.join(p).exists()) {
        walk(&root, Path::new(part), &mut list)?;
    }
    list.push_str("]\n");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("embedded.rs"), list)
}

fn walk(root: &Path, part: &Path, list: &mut String) -> io::Result<()> {
    let full = root.join(part);
    if !full.is_dir() {
        emit(&format!("cargo::rerun-if-changed={}", full.display()));
        let _ = writeln!(
            list,
            "({:?}, include_bytes!({:?})),",
            part.display().to_string(),
            full.display().to_string()
        );
        return Ok(());
    }
    let mut names: Vec<_> = fs::read_dir(&full)?
        .map(|e| e.map(|e| e.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    for name in names {
        // `npm install` in a template locks what that folder has. The toolchain's lock file is a source.
        let locked = name == "package-lock.json" && part.starts_with("sdk/templates");
        let left_behind = locked || name.to_str().is_none_or(|n| LEFT_BEHIND.contains(&n));
        if !left_behind && !full.join(&name).is_symlink() {
            walk(root, &part.join(&name), list)?;
        }
    }
    // For files that are new.
    emit(&format!("cargo::rerun-if-changed={}", full.display()));
    Ok(())
}

fn emit(line: &str) {
    println!("{line}");
}
