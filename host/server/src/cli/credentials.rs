//! Sessions of this person at servers, in a file only they can read.

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// A session at a server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Credential {
    /// Cookie name.
    pub(super) cookie: String,
    /// Cookie value.
    #[serde(serialize_with = "exposed")]
    pub(super) secret: SecretString,
    /// CSRF token.
    #[serde(serialize_with = "exposed")]
    pub(super) csrf_token: SecretString,
    /// Who, for people who look into the file.
    pub(super) email: String,
}

fn exposed<S: Serializer>(secret: &SecretString, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(secret.expose_secret())
}

/// All of them. The key is the server's address, followed by `/t/{slug}` for members of a tenant.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Credentials {
    /// The server used when none is named.
    pub(super) default: Option<String>,
    /// By place.
    #[serde(default)]
    pub(super) sessions: BTreeMap<String, Credential>,
}

/// `${XDG_CONFIG_HOME:-~/.config}/aistack/credentials.toml`
fn file() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let config = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    Ok(config
        .context("neither XDG_CONFIG_HOME nor HOME is set")?
        .join("aistack/credentials.toml"))
}

impl Credentials {
    /// Reads the file; nothing when it is not there.
    pub(super) fn read() -> anyhow::Result<Self> {
        Self::read_from(&file()?)
    }

    fn read_from(path: &Path) -> anyhow::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("{} can't be read", path.display())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(e).with_context(|| path.display().to_string()),
        }
    }

    /// Writes the file, whole or not at all.
    pub(super) fn write(&self) -> anyhow::Result<()> {
        self.write_to(&file()?)
    }

    fn write_to(&self, path: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(self)?;
        let folder = path.parent().context("a file in a folder")?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| folder.display().to_string())?;
        let fresh = folder.join(format!(".credentials.{}", std::process::id()));
        let context = || fresh.display().to_string();
        let _ = fs::remove_file(&fresh);
        let mut out = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)
            .with_context(context)?;
        out.write_all(text.as_bytes()).with_context(context)?;
        fs::rename(&fresh, path).with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_private_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aistack/credentials.toml");
        let mut all = Credentials::read_from(&path).unwrap();
        let credential = Credential {
            cookie: "c".to_owned(),
            secret: "s".into(),
            csrf_token: "t".into(),
            email: "a@b".to_owned(),
        };
        all.default = Some("http://localhost:8080".to_owned());
        all.sessions
            .insert("http://localhost:8080/t/acme".to_owned(), credential);
        all.write_to(&path).unwrap();
        all.write_to(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Credentials::read_from(&path).unwrap();
        assert_eq!(
            read.sessions["http://localhost:8080/t/acme"].secret.expose_secret(),
            "s"
        );
        fs::write(&path, "sessions = 1").unwrap();
        assert!(Credentials::read_from(&path).is_err());
    }
}
