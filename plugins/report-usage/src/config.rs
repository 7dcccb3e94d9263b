//! The installation's configuration, as `config.schema.json` describes it.

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) csv_bom: bool,
    pub(crate) csv_delimiter: Delimiter,
    pub(crate) language: Language,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            csv_bom: true,
            csv_delimiter: Delimiter::Comma,
            language: Language::Auto,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Delimiter {
    Comma,
    Semicolon,
    Tab,
}

impl Delimiter {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    Auto,
    En,
    Zh,
}
