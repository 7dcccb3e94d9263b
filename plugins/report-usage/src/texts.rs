//! Texts in the reader's language, and the labels that columns bring along.

use crate::config::Language;
use aistack_sdk::host::Column;

/// The languages of the headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    En,
    Zh,
}

impl Texts {
    /// What the config says, or what the reader's locale (BCP 47) says.
    pub(crate) fn choose(config: Language, locale: &str) -> Self {
        match config {
            Language::En => Self::En,
            Language::Zh => Self::Zh,
            Language::Auto => {
                let language = locale.split(['-', '_']).next().unwrap_or_default();
                if language.eq_ignore_ascii_case("zh") {
                    Self::Zh
                } else {
                    Self::En
                }
            }
        }
    }

    /// A column's heading: its label in this language, in any language, or its name.
    pub(crate) fn heading(self, column: &Column) -> String {
        let wanted = match self {
            Self::En => "en",
            Self::Zh => "zh",
        };
        let in_language = |l: &str| {
            column
                .labels
                .iter()
                .find(|p| p.key.split('-').next() == Some(l) && !p.value.is_empty())
                .map(|p| p.value.clone())
        };
        let label = in_language(wanted)
            .or_else(|| in_language("en"))
            .unwrap_or_else(|| column.name.clone());
        if column.unit.is_empty() {
            label
        } else {
            format!("{label} ({})", column.unit)
        }
    }

    pub(crate) fn usage(self) -> &'static str {
        match self {
            Self::En => "Usage",
            Self::Zh => "用量明细",
        }
    }

    pub(crate) fn totals(self) -> &'static str {
        match self {
            Self::En => "Totals",
            Self::Zh => "合计",
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::En => "Unit",
            Self::Zh => "单位",
        }
    }

    pub(crate) fn all(self) -> &'static str {
        match self {
            Self::En => "All",
            Self::Zh => "全部",
        }
    }

    pub(crate) fn flag(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::En, true) => "yes",
            (Self::En, false) => "no",
            (Self::Zh, true) => "是",
            (Self::Zh, false) => "否",
        }
    }

    pub(crate) fn cancelled(self) -> &'static str {
        match self {
            Self::En => "The report was cancelled.",
            Self::Zh => "报表已取消。",
        }
    }

    pub(crate) fn too_many_rows(self) -> &'static str {
        match self {
            Self::En => "Too many rows for a workbook. Choose a shorter period, fewer meters, or CSV.",
            Self::Zh => "行数超出工作簿上限，请缩短时间范围、减少计量项，或改用 CSV。",
        }
    }
}
