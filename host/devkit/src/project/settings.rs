//! `aistack-dev.toml`: what a plugin runs with on its author's machine. Nothing of it reaches a component.

use super::read;
use crate::{Error, Finding};
use aistack_domain::plugins::port::{Cell, Column};
use secrecy::SecretBox;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What a call runs with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// The tenant's configuration.
    pub config: Value,
    /// The tenant's secrets.
    pub secrets: BTreeMap<String, Secret>,
    /// What the call is told about itself.
    pub context: Context,
    /// What an operator would open.
    pub grants: Opened,
    /// Key-value state before the first call.
    pub kv: BTreeMap<String, String>,
    /// Datasets, for reports.
    pub dataset: Vec<Dataset>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: Value::Object(serde_json::Map::new()),
            secrets: BTreeMap::new(),
            context: Context::default(),
            grants: Opened::default(),
            kv: BTreeMap::new(),
            dataset: Vec::new(),
        }
    }
}

/// Where a secret's value comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "a secret is \"text\", [\"newest\", \"older\"], { file = \"…\" } or { env = \"…\" }"
)]
pub enum Secret {
    /// The value.
    Text(String),
    /// The value's versions, newest first.
    Versions(Vec<String>),
    /// A file, from the project's folder.
    File {
        /// Its path.
        file: PathBuf,
    },
    /// An environment variable.
    Env {
        /// Its name.
        env: String,
    },
}

impl Secret {
    /// The value's versions.
    ///
    /// # Errors
    /// When the file or variable is not there.
    pub fn versions(&self, dir: &Path) -> Result<Vec<SecretBox<Vec<u8>>>, Error> {
        let one = |text: String| vec![SecretBox::new(Box::new(text.into_bytes()))];
        Ok(match self {
            Self::Text(text) => one(text.clone()),
            Self::Versions(all) => all.iter().flat_map(|t| one(t.clone())).collect(),
            Self::File { file } => one(read(&dir.join(file))?),
            Self::Env { env } => one(std::env::var(env).map_err(|e| Error::Argument {
                pointer: "/secrets".to_owned(),
                message: format!("environment variable {env}: {e}"),
                hint: format!("set {env}, or write the value another way"),
            })?),
        })
    }
}

/// What a call is told about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Context {
    /// BCP 47 tag.
    pub locale: String,
    /// IANA time zone.
    pub time_zone: String,
    /// Whether it is about real money and people.
    pub live: bool,
    /// Under which the tenant reaches the platform.
    pub base_url: String,
    /// Anything else.
    pub extra: Value,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            locale: "en".to_owned(),
            time_zone: "UTC".to_owned(),
            live: false,
            base_url: "https://acme.example.test".to_owned(),
            extra: Value::Null,
        }
    }
}

/// What an operator would open beyond what is declared.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Opened {
    /// Declared hosts that are private or speak plain HTTP. Those on this machine are open anyway.
    pub private_hosts: Vec<String>,
}

/// A dataset with its rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<DatasetColumn>,
    /// Its rows, a value per column; `""` in other columns than text stands for nothing.
    #[serde(default)]
    pub rows: Vec<Vec<toml::Value>>,
}

/// A column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DatasetColumn {
    /// Its name.
    pub name: String,
    /// `text`, `int`, `decimal`, `time`, `date` or `flag`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its unit.
    #[serde(default)]
    pub unit: String,
}

impl Dataset {
    /// The columns as the platform has them.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let column = |c: &DatasetColumn| Column {
            name: c.name.clone(),
            kind: c.kind.clone(),
            label_en: c.name.clone(),
            label_zh: c.name.clone(),
            unit: c.unit.clone(),
        };
        self.columns.iter().map(column).collect()
    }

    /// The rows as the platform has them.
    ///
    /// # Errors
    /// A value that does not fit its column.
    pub(crate) fn cells(&self) -> Result<Vec<Vec<Cell>>, Error> {
        let wrong = |row: usize, message: String| Error::Argument {
            pointer: format!("/dataset/{}/rows/{row}", self.name),
            message,
            hint: "a value per column: text, int, decimal as text, time as 2026-01-01T00:00:00Z, date as text, flag"
                .to_owned(),
        };
        let row = |(n, row): (usize, &Vec<toml::Value>)| {
            if row.len() != self.columns.len() {
                return Err(wrong(
                    n,
                    format!("{} values for {} columns", row.len(), self.columns.len()),
                ));
            }
            let cells = row.iter().zip(&self.columns);
            cells
                .map(|(v, c)| {
                    cell(v, &c.kind).ok_or_else(|| wrong(n, format!("{v} is no {} for {:?}", c.kind, c.name)))
                })
                .collect()
        };
        self.rows.iter().enumerate().map(row).collect()
    }
}

fn cell(value: &toml::Value, kind: &str) -> Option<Cell> {
    use toml::Value as V;
    Some(match (kind, value) {
        ("text", V::String(s)) => Cell::Text(s.clone()),
        (_, V::String(s)) if s.is_empty() => Cell::Null,
        ("int", V::Integer(n)) => Cell::Int(*n),
        ("decimal", V::String(s)) => Cell::Decimal(s.clone()),
        ("decimal", V::Integer(n)) => Cell::Decimal(n.to_string()),
        ("date", V::String(s)) => Cell::Date(s.clone()),
        ("date", V::Datetime(d)) if d.date.is_some() && d.time.is_none() => Cell::Date(d.to_string()),
        ("time", V::Datetime(d)) => Cell::Time(instant(*d)?),
        ("flag", V::Boolean(b)) => Cell::Flag(*b),
        _ => return None,
    })
}

/// A TOML date with time and `Z` as an instant.
fn instant(d: toml::value::Datetime) -> Option<aistack_core::Timestamp> {
    let (date, time) = (d.date?, d.time?);
    let offset = match d.offset? {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes) * 60,
    };
    // Days since the epoch, after Howard Hinnant's algorithm for the proleptic Gregorian calendar.
    let (y, m, day) = (i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * ((m + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0));
    Some(aistack_core::Timestamp::from_secs(days * 86_400 + seconds - offset))
}

/// Reads a TOML file of the author's.
///
/// # Errors
/// When it can't be read, or does not say what it may say.
pub(crate) fn from_file<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    toml::from_str(&text).map_err(|e| {
        let (line, column) = e.span().map_or((None, None), |s| {
            let (l, c) = crate::lint::position(&text, s.start);
            (Some(l), Some(c))
        });
        let finding = Finding {
            line,
            column,
            ..Finding::error(
                "format",
                "",
                e.message().trim(),
                "see .aistack/MANIFEST.md and the comments in the file",
            )
        };
        Error::Findings {
            what: format!("{name} is not readable"),
            findings: vec![finding.in_file(&name)],
        }
    })
}

impl Settings {
    /// The settings of a project, or the empty ones when it has none.
    ///
    /// # Errors
    /// As [`Error::Findings`], when they say what they may not.
    pub fn of(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(super::SETTINGS);
        if path.exists() {
            from_file(&path)
        } else {
            Ok(Self::default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_instants() {
        let t = |text: &str| instant(text.parse().unwrap()).unwrap().as_secs();
        assert_eq!(t("1970-01-01T00:00:00Z"), 0);
        assert_eq!(t("2026-01-01T00:00:00Z"), 1_767_225_600);
        assert_eq!(t("2024-02-29T12:00:00+08:00"), 1_709_179_200);
    }

    #[test]
    fn rows_have_to_fit_their_columns() {
        let set: Dataset = toml::from_str(
            "name = \"d\"\ncolumns = [{ name = \"day\", type = \"date\" }, { name = \"n\", type = \"int\" }]\nrows = [[2026-01-01, 3], [\"2026-01-02\", \"\"]]",
        )
        .unwrap();
        assert_eq!(
            set.cells().unwrap()[1],
            vec![Cell::Date("2026-01-02".to_owned()), Cell::Null]
        );
        let wrong = Dataset {
            rows: vec![vec![toml::Value::Boolean(true), 3.into()]],
            ..set
        };
        assert_eq!(wrong.cells().unwrap_err().code(), "argument_invalid");
    }
}
