//! A plugin's project: a folder with `aistack-plugin.toml`, a config schema and sources in some language.

mod embedded;
mod new;
mod settings;

pub use new::{Created, New, create};
pub(crate) use settings::from_file;
pub use settings::{Context, Dataset, Opened, Secret, Settings};

use crate::Error;
use aistack_domain::plugins::manifest::{self, Manifest};
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Name of the manifest's file.
pub const MANIFEST: &str = "aistack-plugin.toml";
/// Name of the config schema's file.
pub const SCHEMA: &str = "config.schema.json";
/// Name of the file with the author's own settings.
pub const SETTINGS: &str = "aistack-dev.toml";
/// Folder of what the kit itself needs in a project.
pub const VENDORED: &str = ".aistack";

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Rust, built by cargo.
    Rust,
    /// JavaScript, built by componentize-js.
    Js,
    /// Python, built by componentize-py.
    Python,
}

impl Lang {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rust, Self::Js, Self::Python];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Python => "python",
        }
    }

    /// The language of a project, by the files beside its manifest.
    fn told_by(has: impl Fn(&str) -> bool) -> Self {
        if has("Cargo.toml") {
            Self::Rust
        } else if has("package.json") || has("build.mjs") {
            Self::Js
        } else {
            Self::Python
        }
    }
}

/// A project on disk.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its folder.
    pub dir: PathBuf,
    /// Its language.
    pub lang: Lang,
    /// Text of its manifest.
    pub manifest: String,
    /// Text of its config schema.
    pub schema: String,
}

/// Reads a text file.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::file(path))
}

impl Project {
    /// Opens the project in a folder.
    ///
    /// # Errors
    /// When there is none, or its files can't be read.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        if !dir.join(MANIFEST).is_file() {
            return Err(Error::NotAProject(dir.to_owned()));
        }
        let schema = dir.join(SCHEMA);
        Ok(Self {
            lang: Lang::told_by(|name| dir.join(name).exists()),
            manifest: read(&dir.join(MANIFEST))?,
            schema: if schema.exists() {
                read(&schema)?
            } else {
                "{\"type\": \"object\", \"additionalProperties\": false}".to_owned()
            },
            dir: dir.to_owned(),
        })
    }

    /// Its name as a file's: the id with `-` for dots, or the folder's name while the manifest has no id.
    #[must_use]
    pub fn name(&self) -> String {
        let id = toml::from_str::<toml::Table>(&self.manifest).ok();
        let id = id.as_ref().and_then(|t| t.get("id")?.as_str());
        match id {
            Some(id) if !id.is_empty() => package_name(id),
            _ => {
                let folder = self.dir.canonicalize().unwrap_or_else(|_| self.dir.clone());
                folder
                    .file_name()
                    .map_or_else(|| "plugin".to_owned(), |n| n.to_string_lossy().into_owned())
            }
        }
    }

    /// Where its component goes.
    #[must_use]
    pub fn component(&self) -> PathBuf {
        self.dir.join("dist").join(format!("{}.wasm", self.name()))
    }

    /// The manifest, read.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parsed(&self) -> Result<Manifest, Error> {
        manifest::lint(&self.manifest).map_err(|found| Error::Findings {
            what: format!("{MANIFEST} is not accepted"),
            findings: crate::lint::manifest_findings(&self.manifest, found),
        })
    }

    /// Whether the component is missing or older than anything it is made of.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let built = fs::metadata(self.component()).and_then(|m| m.modified());
        built.is_ok_and(|built| newest(&self.dir).is_none_or(|source| source > built)) || !self.component().exists()
    }
}

/// Folders that hold no sources.
const NO_SOURCES: &[&str] = &["target", "dist", "node_modules", "__pycache__", "tests"];

/// When the newest source of a project was written.
pub(crate) fn newest(dir: &Path) -> Option<SystemTime> {
    newest_below(dir, 0)
}

fn newest_below(dir: &Path, depth: usize) -> Option<SystemTime> {
    let mut newest = None;
    for entry in fs::read_dir(dir).ok()?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Ok(meta) = entry.metadata() else { continue };
        let passed_over = name.starts_with('.') || name == SETTINGS || name.ends_with(".md");
        if passed_over || (meta.is_dir() && (NO_SOURCES.contains(&&*name) || depth > 16)) {
            continue;
        }
        let time = if meta.is_dir() {
            newest_below(&entry.path(), depth + 1)
        } else {
            meta.modified().ok()
        };
        newest = newest.max(time);
    }
    newest
}

/// `acme.example-pay` as the name of a package: `acme-example-pay`.
pub(crate) fn package_name(id: &str) -> String {
    id.replace(['.', '_'], "-")
}
