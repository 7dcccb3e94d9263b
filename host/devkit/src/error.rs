//! How author's commands fail, and what is wrong with what they look at: what, where, and how to fix it.

use aistack_domain::{FieldError, plugins::port::Refusal};
use serde::Serialize;
use serde_json::{Value, json};
use std::{io, path::PathBuf};

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A host refuses it, or the plugin can't work.
    Error,
    /// It works, but not well for people.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// Stable code.
    pub code: String,
    /// The file, relative to the project; none for the component itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// JSON pointer to the member.
    pub pointer: String,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    /// An error.
    #[must_use]
    pub fn error(code: &str, pointer: impl Into<String>, message: impl Into<String>, hint: &str) -> Self {
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            file: None,
            pointer: pointer.into(),
            line: None,
            column: None,
            message: message.into(),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: &str, pointer: impl Into<String>, message: impl Into<String>, hint: &str) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, pointer, message, hint)
        }
    }

    /// In this file.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// `file:line:column`, as far as it is known.
    #[must_use]
    pub fn place(&self) -> String {
        let mut place = self.file.clone().unwrap_or_else(|| "component".to_owned());
        for n in [self.line, self.column].into_iter().flatten() {
            place.push_str(&format!(":{n}"));
        }
        place
    }
}

impl From<FieldError> for Finding {
    fn from(e: FieldError) -> Self {
        Self {
            line: e.line,
            ..Self::error(&e.code, e.pointer, e.message, e.hint.as_deref().unwrap_or_default())
        }
    }
}

/// Why an author's command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of a new project has something in it.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// There is no template for that.
    #[error("there is no template for a {world} plugin in {lang}")]
    NoTemplate {
        /// The world.
        world: String,
        /// The language.
        lang: String,
        /// What there is, `language/world`.
        known: Vec<String>,
    },
    /// A folder without a plugin.
    #[error("{} has no aistack-plugin.toml", .0.display())]
    NotAProject(PathBuf),
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A tool that builds plugins is not there.
    #[error("{tool} can't be started: {why}")]
    NoTool {
        /// Its name.
        tool: String,
        /// Why.
        why: String,
        /// How to get it.
        hint: String,
    },
    /// Building failed; the tool has said why.
    #[error("building failed: {what}")]
    Build {
        /// What failed.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Something is wrong with what the author wrote.
    #[error("{what}")]
    Findings {
        /// In one sentence.
        what: String,
        /// All of it.
        findings: Vec<Finding>,
    },
    /// The host refuses the component.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An operation that the component's world does not have.
    #[error("there is no operation {name:?} in the {kind} world")]
    NoOperation {
        /// What was asked for.
        name: String,
        /// The world.
        kind: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// Arguments that don't fit the operation.
    #[error("{pointer}: {message}")]
    Argument {
        /// JSON pointer into the arguments.
        pointer: String,
        /// What is wrong.
        message: String,
        /// What would be right.
        hint: String,
    },
    /// A key that can't sign.
    #[error("{}: {why}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
        /// What to do.
        hint: String,
    },
    /// What is given as a journal is none.
    #[error("{from}: {why}")]
    Journal {
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        why: String,
    },
    /// The kit itself failed.
    #[error("{0}")]
    Failed(String),
}

impl Error {
    /// A file that can't be read or written.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotEmpty(_) => "folder_not_empty",
            Self::NoTemplate { .. } => "no_template",
            Self::NotAProject(_) => "not_a_project",
            Self::File { .. } => "file",
            Self::NoTool { .. } => "tool_missing",
            Self::Build { .. } => "build_failed",
            Self::Findings { .. } => "check_failed",
            Self::Refused(_) => "plugin_refused",
            Self::NoOperation { .. } => "no_such_operation",
            Self::Argument { .. } => "argument_invalid",
            Self::Key { .. } => "key_invalid",
            Self::Journal { .. } => "journal_invalid",
            Self::Failed(_) => "failed",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotEmpty(_) => "name an empty or new folder with --dir".to_owned(),
            Self::NoTemplate { known, .. } => format!("there is {}", known.join(", ")),
            Self::NotAProject(_) => {
                "name a plugin's folder with --dir, or make one: aistack plugin new <id> --world payment".to_owned()
            }
            Self::File { .. } => "check that the path is right and may be read and written".to_owned(),
            Self::NoTool { hint, .. }
            | Self::Build { hint, .. }
            | Self::Argument { hint, .. }
            | Self::Key { hint, .. } => hint.clone(),
            Self::Findings { .. } => String::new(),
            Self::Refused(r) => crate::lint::refusal_hint(r).to_owned(),
            Self::NoOperation { known, .. } => format!("one of {}", known.join(", ")),
            Self::Journal { .. } => {
                "make one with: aistack plugin call OPERATION --record FILE, or aistack plugin replay CALL --save FILE"
                    .to_owned()
            }
            Self::Failed(_) => String::new(),
        }
    }

    /// As a problem document, the form in which the platform refuses things everywhere.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut document = json!({ "code": self.code(), "detail": self.to_string() });
        if !self.hint().is_empty() {
            document["hint"] = self.hint().into();
        }
        match self {
            Self::Findings { findings, .. } => document["errors"] = json!(findings),
            Self::Argument { pointer, message, hint } => {
                document["errors"] = json!([Finding::error("argument_invalid", pointer, message, hint)]);
                // It stands beside the mistake.
                document.as_object_mut().map(|d| d.remove("hint"));
            }
            _ => {}
        }
        document
    }
}
