//! Where components come from beside an upload: a registry that is asked to give one, and a folder that is watched. What
//! last came of each file or reference is kept in memory, so that whoever dropped a file sees why it was not taken.

mod folder;
mod pull;

pub use folder::{offer, refuse_file, upgrade};
pub use pull::{Pull, pull};

use super::catalogue::Listed;
use crate::{FieldError, Problem};
use aistack_core::{PluginVersionId, ProblemKind, Timestamp, text_enum};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Most files and references that are remembered; the oldest is forgotten for a new one.
const REMEMBERED: usize = 1_000;

text_enum! {
    /// A way for components to come in.
    pub enum SourceKind {
        /// The watched folder.
        Watch = "watch",
        /// The folder that is read at start.
        Preload = "preload",
        /// A registry.
        Registry = "registry",
    }
}

text_enum! {
    /// What came of a file or reference.
    pub enum SourceState {
        /// It was installed.
        Installed = "installed",
        /// It was installed before.
        Known = "known",
        /// It was refused.
        Refused = "refused",
    }
}

/// What last came of a file or reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// How it comes in.
    pub kind: SourceKind,
    /// The file's name, or the reference.
    pub name: String,
    /// What came of it.
    pub state: SourceState,
    /// SHA-256 of the component (hex), as far as it was read.
    pub digest: Option<String>,
    /// The version that it is installed as.
    pub plugin: Option<PluginVersionId>,
    /// Why it was refused.
    pub refusal: Option<Refused>,
    /// When it was looked at.
    pub at: Timestamp,
}

/// Why something was refused: what, where, and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The problem's code.
    pub code: ProblemKind,
    /// The reason within it, e.g. `manifest`.
    pub reason: Option<String>,
    /// A sentence.
    pub detail: String,
    /// What to do.
    pub hint: Option<String>,
    /// Where.
    pub errors: Vec<FieldError>,
}

impl From<&Problem> for Refused {
    fn from(p: &Problem) -> Self {
        let text = |key: &str| p.extras.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        Self {
            code: p.kind,
            reason: text("reason"),
            detail: match p.kind {
                // What went wrong inside is for the log.
                ProblemKind::Internal => "something went wrong on our side; the log has the details".to_owned(),
                _ => p.detail.clone(),
            },
            hint: text("hint"),
            errors: p.errors.clone(),
        }
    }
}

/// What last came of each, on this node, since it started.
#[derive(Debug, Default)]
pub struct Sources(Mutex<BTreeMap<(SourceKind, String), Source>>);

impl Sources {
    /// All of them, the latest first.
    #[must_use]
    pub fn all(&self) -> Vec<Source> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<_> = all.values().cloned().collect();
        drop(all);
        list.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.name.cmp(&b.name)));
        list
    }

    fn note(&self, source: Source) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.kind, source.name.clone());
        if all.len() >= REMEMBERED && !all.contains_key(&key) {
            let oldest = all.iter().min_by_key(|(_, s)| s.at).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                all.remove(&oldest);
            }
        }
        all.insert(key, source);
    }

    /// Keeps what came of an attempt.
    pub(super) fn tell(
        &self,
        (kind, name): (SourceKind, &str),
        digest: Option<String>,
        came: &Result<Listed, Problem>,
        at: Timestamp,
    ) {
        let (state, plugin, refusal) = match came {
            Ok(listed) => (SourceState::Installed, Some(listed.version.id), None),
            Err(p) if is_known(p) => {
                let id = p
                    .extras
                    .get("plugin")
                    .and_then(|v| v.as_str())
                    .and_then(|s| s.parse().ok());
                (SourceState::Known, id, None)
            }
            Err(p) => (SourceState::Refused, None, Some(Refused::from(p))),
        };
        self.note(Source {
            kind,
            name: name.to_owned(),
            state,
            digest,
            plugin,
            refusal,
            at,
        });
    }
}

/// Whether a component was refused because it is there: the very same one, not another under its version.
#[must_use]
pub fn is_known(p: &Problem) -> bool {
    p.kind == ProblemKind::AlreadyExists && p.extras.contains_key("plugin")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sources: &Sources, name: &str, at: i64) {
        let problem = Err(Problem::new(ProblemKind::PluginRefused, "no")
            .with("reason", "manifest")
            .hint("do"));
        sources.tell((SourceKind::Watch, name), None, &problem, Timestamp(at));
    }

    #[test]
    fn the_latest_stands_first_and_one_name_stands_once() {
        let sources = Sources::default();
        refused(&sources, "a.wasm", 1);
        refused(&sources, "b.wasm", 2);
        refused(&sources, "a.wasm", 3);
        let all = sources.all();
        assert_eq!(
            all.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
            ["a.wasm", "b.wasm"]
        );
        let why = all[0].refusal.as_ref().unwrap();
        assert_eq!(
            (why.reason.as_deref(), why.hint.as_deref()),
            (Some("manifest"), Some("do"))
        );
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let sources = Sources::default();
        for n in 0..REMEMBERED + 5 {
            refused(&sources, &format!("{n}.wasm"), i64::try_from(n).unwrap());
        }
        let all = sources.all();
        assert_eq!(all.len(), REMEMBERED);
        assert!(!all.iter().any(|s| s.name == "4.wasm") && all.iter().any(|s| s.name == "5.wasm"));
    }
}
