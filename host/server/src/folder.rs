//! Components in folders: installed once at start, or watched and installed as they are put there.
//!
//! A watched folder is looked through every second. A file is read when size and time have stayed the same from one look
//! to the next, so that one still being copied is left alone, and looked at again only when either changes. That needs
//! nothing of the operating system and works on every file system, network ones included.

use aistack_domain::{
    App, Problem,
    plugins::{
        catalogue::MAX_COMPONENT,
        port::Refusal,
        sources::{SourceKind, is_known, offer, refuse_file, upgrade},
    },
};
use anyhow::Context;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Largest file of detached signatures.
const MOST_SIGNATURES: u64 = 64 << 10;

/// Installs what lies in a folder and is not installed yet. What can't be is logged: one bad plugin must not keep the
/// platform down.
///
/// # Errors
/// When the folder can't be read.
pub async fn preload(app: &App, dir: &Path) -> anyhow::Result<()> {
    let found = look(dir).with_context(|| format!("[plugins] preload_dir {}", dir.display()))?;
    for file in found.into_keys() {
        take(app, SourceKind::Preload, &file, false).await;
    }
    Ok(())
}

/// Watches a folder until it is asked to stop. With `upgrades`, what is put there is also put to use where a lower
/// version is.
pub async fn watch(app: &App, dir: &Path, upgrades: bool, stopped: impl Future<Output = ()>) {
    tracing::info!(dir = %dir.display(), "components put here are installed");
    tokio::pin!(stopped);
    let mut watched = Watched::default();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut readable = true;
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = ticks.tick() => {}
        }
        match look(dir) {
            Ok(found) => {
                readable = true;
                for file in watched.ripe(found) {
                    take(app, SourceKind::Watch, &file, upgrades).await;
                }
            }
            Err(error) if readable => {
                // Once, not every second.
                tracing::error!(dir = %dir.display(), %error, "the watched folder can't be read");
                readable = false;
            }
            Err(_) => {}
        }
    }
}

/// What of a file tells whether it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// Size and time of the signatures beside it: signing a file that was refused for want of a signature changes it.
    signatures: Option<(u64, Option<SystemTime>)>,
}

/// What is known of the files of a folder.
#[derive(Debug, Default)]
struct Watched(BTreeMap<PathBuf, (Stamp, bool)>);

impl Watched {
    /// The files that have rested since the last look and were not taken as they are now.
    fn ripe(&mut self, found: BTreeMap<PathBuf, Stamp>) -> Vec<PathBuf> {
        self.0.retain(|file, _| found.contains_key(file));
        let mut ripe = Vec::new();
        for (file, stamp) in found {
            match self.0.get_mut(&file) {
                Some((known, taken)) if *known == stamp => {
                    if !*taken {
                        *taken = true;
                        ripe.push(file);
                    }
                }
                _ => {
                    self.0.insert(file, (stamp, false));
                }
            }
        }
        ripe
    }
}

/// The components of a folder with their stamps.
fn look(dir: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let hidden = path.file_name().is_none_or(|n| n.to_string_lossy().starts_with('.'));
        if hidden || path.extension().is_none_or(|ext| ext != "wasm") {
            continue;
        }
        // Gone again, or a folder: none of ours.
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        if meta.is_file() {
            let beside = std::fs::metadata(beside(&path)).ok();
            let stamp = Stamp {
                size: meta.len(),
                modified: meta.modified().ok(),
                signatures: beside.map(|m| (m.len(), m.modified().ok())),
            };
            found.insert(path, stamp);
        }
    }
    Ok(found)
}

/// Where the detached signatures of a component lie.
fn beside(file: &Path) -> PathBuf {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".sig");
    beside.into()
}

async fn take(app: &App, kind: SourceKind, file: &Path, upgrades: bool) {
    let name = file
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let installed = match read(file).await {
        Ok((component, signatures)) => offer(app, kind, &name, &component, signatures).await,
        Err(problem) => refuse_file(app, kind, &name, problem).await,
    };
    match installed {
        Ok(listed) => {
            let plugin = listed.name_and_version();
            tracing::info!(file = name, %plugin, "installed a plugin");
            if upgrades {
                match upgrade(app, &listed).await {
                    Ok(0) => {}
                    Ok(versions) => tracing::info!(%plugin, versions, "installations of lower versions change to it"),
                    Err(problem) => tracing::error!(%plugin, %problem, "lower versions stay in use"),
                }
            }
        }
        Err(p) if is_known(&p) => tracing::debug!(file = name, "the plugin is installed already"),
        Err(p) => {
            let hint = p.extras.get("hint").and_then(|h| h.as_str()).unwrap_or_default();
            tracing::error!(file = name, problem = %p, hint, "a plugin can't be installed");
            for e in &p.errors {
                let hint = e.hint.as_deref().unwrap_or_default();
                tracing::error!(file = name, field = e.pointer, code = e.code, hint, "{}", e.message);
            }
        }
    }
}

/// A file's component and signatures; nothing is read that is too large anyway.
async fn read(file: &Path) -> Result<(Vec<u8>, Option<String>), Problem> {
    let unreadable = |e: io::Error| {
        Problem::new(
            aistack_core::ProblemKind::PluginRefused,
            format!("the file can't be read: {e}"),
        )
        .with("reason", "unreadable")
        .hint("let the user that runs the server read it")
    };
    let size = tokio::fs::metadata(file).await.map_err(unreadable)?.len();
    if size > MAX_COMPONENT as u64 {
        let max = MAX_COMPONENT as u64;
        return Err(aistack_domain::plugins::error::PluginError::from(Refusal::TooLarge { size, max }).into());
    }
    let component = tokio::fs::read(file).await.map_err(unreadable)?;
    let beside = beside(file);
    let signatures = match tokio::fs::metadata(&beside).await {
        Ok(meta) if meta.len() <= MOST_SIGNATURES => {
            Some(tokio::fs::read_to_string(&beside).await.map_err(unreadable)?)
        }
        Ok(_) => return Err(unreadable(io::Error::other("the signatures beside it are too large"))),
        Err(_) => None,
    };
    Ok((component, signatures))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(size: u64) -> Stamp {
        Stamp {
            size,
            modified: None,
            signatures: None,
        }
    }

    #[test]
    fn a_file_is_taken_once_it_rests_and_again_when_it_changes() {
        let mut watched = Watched::default();
        let mut see = |size: Option<u64>| {
            let found = size.map(|s| (PathBuf::from("a.wasm"), stamp(s))).into_iter().collect();
            watched.ripe(found).len()
        };
        assert_eq!(see(Some(1)), 0, "seen for the first time");
        assert_eq!(see(Some(2)), 0, "still growing");
        assert_eq!(see(Some(2)), 1, "at rest");
        assert_eq!(see(Some(2)), 0, "taken once");
        assert_eq!((see(Some(3)), see(Some(3))), (0, 1), "changed");
        assert_eq!(see(None), 0);
        assert_eq!((see(Some(3)), see(Some(3))), (0, 1), "taken away and put there again");
    }

    #[test]
    fn only_components_are_looked_at_and_a_signature_beside_one_counts() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.wasm", ".b.wasm", "c.txt", "d.wasm.part"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(dir.path().join("e.wasm")).unwrap();
        let before = look(dir.path()).unwrap();
        assert_eq!(before.keys().collect::<Vec<_>>(), [&dir.path().join("a.wasm")]);
        std::fs::write(dir.path().join("a.wasm.sig"), "[]").unwrap();
        assert_ne!(look(dir.path()).unwrap(), before, "signing it changes it");
        assert!(look(&dir.path().join("nowhere")).is_err());
    }
}
