//! Making a project: a template with the author's own names in it, and beside it, in `.aistack/`, the SDK and the
//! contract that this version of the platform has, so that nothing else is needed to build it.

use super::{Lang, MANIFEST, SETTINGS, VENDORED, embedded, package_name};
use crate::Error;
use aistack_domain::plugins::{manifest, port::PluginKind};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const TEMPLATES: &str = "sdk/templates";
/// The members of the SDK's workspace that a project does not get: it is one of them itself.
const OWN_TEMPLATES: &str = ", \"templates/identity\", \"templates/payment\", \"templates/report\"";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct New {
    /// `publisher.name`.
    pub id: String,
    /// The world.
    pub world: PluginKind,
    /// The language.
    pub lang: Lang,
    /// The folder; named after the plugin when not given.
    pub dir: Option<PathBuf>,
}

/// A project that was made.
#[derive(Debug, Clone, Serialize)]
pub struct Created {
    /// Its folder.
    pub dir: PathBuf,
    /// The plugin's id.
    pub id: String,
    /// The world.
    pub world: &'static str,
    /// The language.
    pub lang: &'static str,
    /// Its own files, without what is vendored.
    pub files: Vec<String>,
}

struct Template {
    folder: String,
    lang: Lang,
    world: PluginKind,
}

/// Every folder among the templates that has a manifest in it.
fn templates() -> Vec<Template> {
    let all: Vec<(&str, &[u8])> = embedded::below(TEMPLATES).collect();
    all.iter()
        .filter_map(|(path, bytes)| {
            let folder = path.strip_suffix(MANIFEST)?.strip_suffix('/')?;
            let manifest = manifest::parse(std::str::from_utf8(bytes).ok()?).ok()?;
            Some(Template {
                lang: Lang::told_by(|name| all.iter().any(|(p, _)| *p == format!("{folder}/{name}"))),
                world: manifest.kind()?,
                folder: folder.to_owned(),
            })
        })
        .collect()
}

/// Makes a project.
///
/// # Errors
/// When the id is no plugin's id, there is no such template, the folder has something in it, or can't be written.
pub fn create(asked: &New) -> Result<Created, Error> {
    check_id(&asked.id)?;
    let all = templates();
    let of = |world, lang| all.iter().find(|t| t.world == world && t.lang == lang);
    let template = of(asked.world, asked.lang).ok_or_else(|| Error::NoTemplate {
        world: asked.world.to_string(),
        lang: asked.lang.as_str().to_owned(),
        known: all.iter().map(|t| format!("{}/{}", t.lang.as_str(), t.world)).collect(),
    })?;
    let dir = asked
        .dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(package_name(&asked.id)));
    if fs::read_dir(&dir).is_ok_and(|mut d| d.next().is_some()) || dir.is_file() {
        return Err(Error::NotEmpty(dir));
    }

    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    // Fixtures and settings are about the service a template speaks to, which is the same in every language.
    let shared = of(asked.world, Lang::Rust).filter(|_| asked.lang != Lang::Rust);
    for t in shared.into_iter() {
        let common = |path: &str| path == SETTINGS || path.starts_with("tests/");
        let from =
            embedded::below(TEMPLATES).filter_map(|(p, b)| Some((p.strip_prefix(&t.folder)?.strip_prefix('/')?, b)));
        files.extend(from.filter(|(p, _)| common(p)).map(|(p, b)| (p.to_owned(), b.to_vec())));
    }
    for (path, bytes) in embedded::below(&format!("{TEMPLATES}/{}", template.folder)) {
        files.insert(path.to_owned(), bytes.to_vec());
    }
    let names = Names::of(&files, &asked.id);
    for (path, bytes) in &mut files {
        if let Ok(text) = std::str::from_utf8(bytes) {
            *bytes = own_sdk(path, &names.put_into(text)).into_bytes();
        }
    }
    if let Some(manifest) = files.get_mut(MANIFEST) {
        *manifest = own_manifest(&String::from_utf8_lossy(manifest), &asked.id).into_bytes();
    }
    if asked.lang == Lang::Rust {
        let cargo = files.get("Cargo.toml").cloned().unwrap_or_default();
        files.insert(
            "Cargo.toml".to_owned(),
            own_cargo(&String::from_utf8_lossy(&cargo)).into_bytes(),
        );
        let lock = embedded::text("sdk/Cargo.lock").unwrap_or_default();
        files.insert("Cargo.lock".to_owned(), lock.as_bytes().to_vec());
    }
    files
        .entry(".gitignore".to_owned())
        .or_insert_with(|| IGNORED.as_bytes().to_vec());
    files
        .entry("README.md".to_owned())
        .or_insert_with(|| readme(asked).into_bytes());

    let own: Vec<String> = files.keys().cloned().collect();
    files.extend(vendored(asked.lang));
    write(&dir, &files)?;
    Ok(Created {
        dir,
        id: asked.id.clone(),
        world: asked.world.as_str(),
        lang: asked.lang.as_str(),
        files: own,
    })
}

/// The id, as the manifest's own rules have it.
fn check_id(id: &str) -> Result<(), Error> {
    let quoted = toml::Value::String(id.to_owned());
    let manifest = format!(
        "id = {quoted}\nversion = \"0.1.0\"\nworld = \"aistack:payment/payment-provider@1.0\"\npublisher = \"a\"\nname = {{ en = \"A\" }}\n"
    );
    let found = manifest::lint(&manifest).err().unwrap_or_default();
    match found.into_iter().find(|f| f.pointer == "/id") {
        None => Ok(()),
        Some(f) => Err(Error::Argument {
            pointer: "/id".to_owned(),
            message: f.message,
            hint: f.hint.unwrap_or_default(),
        }),
    }
}

/// What a template is called, and what the project is to be called.
struct Names(Vec<(String, String)>);

impl Names {
    fn of(files: &BTreeMap<String, Vec<u8>>, id: &str) -> Self {
        let text = |name: &str| files.get(name).map(|b| String::from_utf8_lossy(b).into_owned());
        let manifest = text(MANIFEST).and_then(|t| toml::from_str::<toml::Table>(&t).ok());
        let cargo = text("Cargo.toml").and_then(|t| toml::from_str::<toml::Table>(&t).ok());
        let package = text("package.json").and_then(|t| serde_json::from_str::<serde_json::Value>(&t).ok());
        let of = [
            manifest
                .as_ref()
                .and_then(|m| m.get("id")?.as_str())
                .map(|from| (from, id.to_owned())),
            cargo
                .as_ref()
                .and_then(|c| c.get("package")?.get("name")?.as_str())
                .or_else(|| package.as_ref().and_then(|p| p.get("name")?.as_str()))
                .map(|from| (from, package_name(id))),
        ];
        Self(
            of.into_iter()
                .flatten()
                .map(|(from, to)| (from.to_owned(), to))
                .collect(),
        )
    }

    /// Names stand in quotes wherever they mean the plugin; elsewhere the same letters may be anything.
    fn put_into(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.0 {
            text = text.replace(&format!("\"{from}\""), &format!("\"{to}\""));
        }
        text
    }
}

/// The manifest with the author's publisher and name.
fn own_manifest(text: &str, id: &str) -> String {
    let publisher = id.split('.').next().unwrap_or_default();
    let title = title(id);
    let mut inside_table = false;
    let lines = text.lines().map(|line| {
        inside_table |= line.starts_with('[');
        match line {
            l if inside_table => l.to_owned(),
            l if l.starts_with("publisher = ") => format!("publisher = \"{publisher}\""),
            l if l.starts_with("name = ") => format!("name = {{ en = \"{title}\", zh-CN = \"{title}\" }}"),
            l => l.to_owned(),
        }
    });
    lines.map(|l| l + "\n").collect()
}

/// `acme.example-pay` for people: `Example Pay`.
fn title(id: &str) -> String {
    let name = id.rsplit('.').next().unwrap_or(id);
    let words = name.split(['-', '_']).filter(|w| !w.is_empty()).map(|w| {
        let mut letters = w.chars();
        letters
            .next()
            .map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<String>>().join(" ")
}

/// A template's text with the SDK of its language beside it instead of above it: `../../../js` becomes `./.aistack/sdk/js`.
fn own_sdk(path: &str, text: &str) -> String {
    let depth = path.matches('/').count();
    let up = if depth == 0 {
        "./".to_owned()
    } else {
        "../".repeat(depth)
    };
    let mut text = text.to_owned();
    for name in ["js", "python"] {
        // From the project's folder in the repository, `sdk/templates/<language>/<world>`, or from deeper within.
        let above = format!("{}{name}", "../".repeat(3 + depth));
        for end in ["/", "\"", "'"] {
            text = text.replace(&format!("{above}{end}"), &format!("{up}{VENDORED}/sdk/{name}{end}"));
        }
    }
    text
}

/// The template's `Cargo.toml` as a workspace of its own, with the SDK beside it.
fn own_cargo(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("path = \"") {
        Some((before, path)) if path.starts_with("../") => {
            format!("{before}path = \"{VENDORED}/sdk/{}", path.trim_start_matches("../"))
        }
        _ => line.to_owned(),
    });
    let own: String = lines.map(|l| l + "\n").collect();
    let sdk = embedded::text("sdk/Cargo.toml").unwrap_or_default();
    // Lints and the profile that makes components small stand at the end of the SDK's file.
    let rest = sdk.split_once("[workspace.lints.rust]").map_or("", |(_, rest)| rest);
    format!(
        "{own}\n# The SDK is a workspace of its own.\n[workspace]\nexclude = [\"{VENDORED}\"]\n\n[workspace.lints.rust]{rest}"
    )
}

/// SDK and contract.
fn vendored(lang: Lang) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut take = |folder: &str| {
        for (path, bytes) in embedded::below(folder) {
            files.insert(format!("{VENDORED}/{folder}/{path}"), bytes.to_vec());
        }
    };
    take("wit");
    let folders: &[&str] = match lang {
        Lang::Rust => &["sdk/rust", "sdk/bindings", "sdk/test"],
        Lang::Js => &["sdk/js"],
        Lang::Python => &["sdk/python"],
    };
    folders.iter().for_each(|folder| take(folder));
    if lang == Lang::Rust {
        let workspace = embedded::text("sdk/Cargo.toml").unwrap_or_default();
        let workspace = workspace.replace(OWN_TEMPLATES, "");
        files.insert(format!("{VENDORED}/sdk/Cargo.toml"), workspace.into_bytes());
    }
    let manual = embedded::text("sdk/MANIFEST.md").unwrap_or_default();
    files.insert(format!("{VENDORED}/MANIFEST.md"), manual.as_bytes().to_vec());
    files
}

fn write(dir: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
    let folders: BTreeSet<PathBuf> = files
        .keys()
        .filter_map(|p| dir.join(p).parent().map(Path::to_owned))
        .collect();
    for folder in folders {
        fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    }
    for (path, bytes) in files {
        let path = dir.join(path);
        fs::write(&path, bytes).map_err(Error::file(&path))?;
    }
    Ok(())
}

const IGNORED: &str =
    "/target\n/dist\n/node_modules\n__pycache__\n# May hold the keys of a test account.\n/aistack-dev.toml\n";

fn readme(asked: &New) -> String {
    format!(
        "# {}\n\nAn aistack plugin of the {} world.\n\n```sh\naistack plugin build    # dist/{}.wasm\naistack plugin check    # manifest, form, imports\naistack plugin test     # the world's conformance suite\naistack plugin dev      # watch, rebuild, look at the form, take webhooks\n```\n\n\
         `aistack-plugin.toml` says what it may do, `config.schema.json` what tenants fill in (both explained in\n`.aistack/MANIFEST.md`), `aistack-dev.toml` what it runs with on this machine, `tests/fixtures.toml` what the\nprovider answers in tests. `.aistack/` is the kit's; it is replaced when you move to a newer one.\n",
        title(&asked.id),
        asked.world,
        package_name(&asked.id)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_carries_the_authors_names_and_needs_no_checkout() {
        for world in [PluginKind::Identity, PluginKind::Payment, PluginKind::Report] {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("p");
            let asked = New {
                id: "acme.my-thing".into(),
                world,
                lang: Lang::Rust,
                dir: Some(dir.clone()),
            };
            create(&asked).unwrap();
            let manifest = manifest::parse(&fs::read_to_string(dir.join(MANIFEST)).unwrap()).unwrap();
            assert_eq!(
                (manifest.id.as_str(), manifest.publisher.as_str()),
                ("acme.my-thing", "acme")
            );
            assert_eq!((manifest.name.en.as_str(), manifest.kind()), ("My Thing", Some(world)));
            let cargo: toml::Table = toml::from_str(&fs::read_to_string(dir.join("Cargo.toml")).unwrap()).unwrap();
            assert_eq!(cargo["package"]["name"].as_str(), Some("acme-my-thing"));
            let sdk = cargo["dependencies"]["aistack-sdk"]["path"].as_str().unwrap();
            assert!(dir.join(sdk).join("Cargo.toml").exists(), "{sdk}");
            assert!(cargo["profile"]["release"]["lto"].as_bool().unwrap());
            for path in [
                ".aistack/wit/v1/contract.wit",
                "tests/fixtures.toml",
                "aistack-dev.toml",
                ".gitignore",
            ] {
                assert!(dir.join(path).exists(), "{path}");
            }
            assert!(matches!(create(&asked), Err(Error::NotEmpty(_))));
        }
    }

    #[test]
    fn ids_that_are_none_are_refused_before_anything_is_written() {
        for id in ["acme", "Acme.pay", "acme.", "acme.pay\"\n", ""] {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("p");
            let asked = New {
                id: id.into(),
                world: PluginKind::Payment,
                lang: Lang::Rust,
                dir: Some(dir.clone()),
            };
            assert_eq!(create(&asked).unwrap_err().code(), "argument_invalid", "{id:?}");
            assert!(!dir.exists());
        }
    }
}
