//! `docs/config.md`, made from the sections.

use super::Config;
use std::fmt::Write;
use toml::Value;

/// The reference in Markdown.
#[must_use]
pub fn reference() -> String {
    let defaults = Value::try_from(Config::default()).unwrap_or_else(|_| Value::Table(toml::Table::new()));
    let mut text = String::from(
        "# Configuration\n\n\
         <!-- Made from host/server/src/config/model.rs; `cargo xtask openapi` writes it anew. -->\n\n\
         `aistack serve --config FILE` reads TOML; without `--config`, `aistack.toml` in the data folder if it is there. Every setting can be\n\
         given as an environment variable too, `AISTACK__SECTION__SETTING`, which wins over the file; flags of the command line win over both.\n\
         Unknown names are refused. `aistack config check` says whether a file can be used, `aistack config show` what it amounts to.\n",
    );
    for section in Config::SECTIONS {
        let _ = write!(text, "\n## [{}]\n\n{}\n", section.name, paragraph(section.doc));
        text.push_str("\n| setting | default | |\n|---|---|---|\n");
        for setting in section.settings {
            let default = match defaults.get(section.name).and_then(|s| s.get(setting.name)) {
                Some(value) => format!("`{value}`"),
                None => "not set".to_owned(),
            };
            let _ = writeln!(text, "| `{}` | {default} | {} |", setting.name, paragraph(setting.doc));
        }
    }
    text
}

fn paragraph(doc: &str) -> String {
    doc.lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_reference_is_the_one_of_this_code() {
        let path = "../../docs/config.md";
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == super::reference(),
            "docs/config.md is out of date: make openapi"
        );
    }
}
