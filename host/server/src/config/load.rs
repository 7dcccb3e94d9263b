//! Reading the file and the environment.

use super::Config;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What begins the name of an environment variable that is a setting: `AISTACK__SERVER__LISTEN`.
const PREFIX: &str = "AISTACK__";

/// Where the file is.
#[derive(Debug, Clone)]
pub enum Source {
    /// This file, which has to be there.
    File(PathBuf),
    /// `aistack.toml` in this folder, if it is there.
    Folder(PathBuf),
}

/// A configuration that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path}: {1}", path = .0.display())]
    Read(PathBuf, std::io::Error),
    /// The file is not what the reference says.
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, String),
    /// A variable is not what the reference says.
    #[error("{0}: {1}")]
    Variable(String, String),
}

/// Reads the configuration; also says which file it came from.
///
/// # Errors
/// When file or variables are not what the reference says.
pub fn load(
    source: &Source,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<(Config, Option<PathBuf>), ConfigError> {
    let (path, text) = match source {
        Source::File(path) => (Some(path.clone()), read(path)?),
        Source::Folder(folder) => {
            let path = folder.join("aistack.toml");
            if path.exists() {
                (Some(path.clone()), read(&path)?)
            } else {
                (None, String::new())
            }
        }
    };
    let shown = path.clone().unwrap_or_default();
    // Alone first: its errors then say the line.
    let _: Config = toml::from_str(&text).map_err(|e| ConfigError::File(shown.clone(), e.to_string()))?;
    let mut table: Table = toml::from_str(&text).map_err(|e| ConfigError::File(shown, e.to_string()))?;
    let mut variables: Vec<_> = environment
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    variables.sort();
    let mut config = table
        .clone()
        .try_into::<Config>()
        .map_err(|e| ConfigError::Variable(PREFIX.to_owned(), e.to_string()))?;
    for (name, value) in variables {
        let refuse = |why: String| ConfigError::Variable(name.clone(), why);
        let path: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
        let [section, key] = path.as_slice() else {
            return Err(refuse("the name is AISTACK__SECTION__SETTING".to_owned()));
        };
        // What TOML reads as another type may still be meant as text: try both.
        let mut last = String::new();
        let fitting = readings(&value).into_iter().find_map(|reading| {
            let mut attempt = table.clone();
            let inner = attempt
                .entry(section.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            inner.as_table_mut()?.insert(key.clone(), reading);
            match attempt.clone().try_into::<Config>() {
                Ok(config) => Some((attempt, config)),
                Err(e) => {
                    last = e.message().to_owned();
                    None
                }
            }
        });
        (table, config) = fitting.ok_or_else(|| refuse(last))?;
    }
    Ok((config, path))
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|e| ConfigError::Read(path.to_owned(), e))
}

/// A variable's text as a TOML value, and as a string; the string last, so that its error is the one told.
fn readings(text: &str) -> Vec<Value> {
    let parsed = toml::from_str::<Table>(&format!("x = {text}"))
        .ok()
        .and_then(|mut t| t.remove("x"));
    parsed.into_iter().chain([Value::String(text.to_owned())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("aistack.toml"), text).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let loaded = load(&Source::Folder(dir.path().to_owned()), environment).map_err(|e| e.to_string());
        loaded.map(|(config, _)| config)
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let config = from(
            "[server]\nlisten = \"127.0.0.1:1\"\ndrain_seconds = 3\n",
            &[
                ("AISTACK__SERVER__LISTEN", "127.0.0.1:2"),
                ("AISTACK__PLUGINS__ALLOW_PRIVATE_ADDRESSES", "true"),
                ("AISTACK__STORE__URL", "postgres://u:secret@h/d"),
                ("AISTACK__SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
                ("AISTACK__STORE__DURABILITY", "crash"),
                ("AISTACK_URL", "not a setting"),
            ],
        )
        .unwrap();
        assert_eq!(config.server.listen.port(), 2);
        assert_eq!(
            (config.server.drain_seconds, config.server.trusted_proxies.len()),
            (3, 1)
        );
        assert!(config.plugins.allow_private_addresses);
        let shown = config.shown();
        assert!(
            shown.contains("postgres://u:***@h/d") && !shown.contains("secret"),
            "{shown}"
        );
        assert!(shown.contains("durability = \"crash\""));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, environment, said) in [
            ("[server]\nlistn = 1\n", None, "listn"),
            ("[srver]\n", None, "srver"),
            ("[server]\nlisten = \"here\"\n", None, "line 2"),
            ("[server\n", None, "line 1"),
            ("", Some(("AISTACK__SERVER__LISTN", "x")), "AISTACK__SERVER__LISTN"),
            ("", Some(("AISTACK__SERVER", "x")), "AISTACK__SECTION__SETTING"),
            (
                "",
                Some(("AISTACK__JOBS__CONCURRENCY", "many")),
                "AISTACK__JOBS__CONCURRENCY",
            ),
            ("", Some(("AISTACK__LOG__FORMAT", "xml")), "AISTACK__LOG__FORMAT"),
        ] {
            let e = from(text, environment.as_slice()).unwrap_err();
            assert!(e.contains(said), "{text:?} {environment:?}: {e}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let shown = Config::default().shown();
        assert_eq!(from(&shown, &[]).unwrap().shown(), shown);
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        let missing = Source::File(PathBuf::from("/nonexistent/aistack.toml"));
        assert!(matches!(load(&missing, []), Err(ConfigError::Read(..))));
    }
}
