//! The powers of installations that are in use: what is changed, switched off or taken away reaches calls that have
//! begun already.

use crate::plugins::{
    grants,
    port::{Grants, Powers},
};
use aistack_core::{InstallationId, TenantId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

type Key = (TenantId, InstallationId);

/// What a committed change means for calls in flight.
#[derive(Debug, Clone, Copy)]
pub enum Fate<'a> {
    /// They end, with this code: `disabled`, `removed`, `quarantined`.
    End(&'static str),
    /// Those of this component keep at most these grants; calls of another version go on as they began.
    Keep {
        /// The component.
        digest: &'a str,
        /// The grants in force.
        grants: &'a Grants,
    },
}

#[derive(Debug)]
struct One {
    powers: Weak<Powers>,
    digest: Arc<str>,
    generation: i64,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Live(Mutex<HashMap<Key, Vec<One>>>);

impl Live {
    fn with<T>(&self, f: impl FnOnce(&mut HashMap<Key, Vec<One>>) -> T) -> T {
        // Nothing in here can be left half done by a panic.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes what an installation was loaded with.
    pub(super) fn add(&self, key: Key, powers: &Arc<Powers>, digest: &Arc<str>, generation: i64) {
        self.with(|all| {
            let of = all.entry(key).or_default();
            of.retain(|one| one.powers.strong_count() > 0);
            of.push(One {
                powers: Arc::downgrade(powers),
                digest: Arc::clone(digest),
                generation,
            });
        });
    }

    /// Tells calls in flight of one installation.
    pub(super) fn settle(&self, key: Key, fate: Fate<'_>) {
        self.with(|all| {
            for one in all.get(&key).into_iter().flatten() {
                one.tell(fate);
            }
        });
    }

    /// Ends the calls of a component, whoever's they are.
    pub(super) fn end_component(&self, digest: &str, code: &'static str) {
        self.with(|all| {
            for one in all.values().flatten().filter(|one| &*one.digest == digest) {
                one.tell(Fate::End(code));
            }
        });
    }

    /// Installations that are in memory or in flight, of one tenant or of all.
    pub(super) fn known(&self, tenant: Option<TenantId>) -> Vec<Key> {
        self.with(|all| {
            forget_the_gone(all);
            let keys = all.keys().copied();
            keys.filter(|(of, _)| tenant.is_none_or(|t| t == *of)).collect()
        })
    }

    /// Installations with calls in flight and the newest generation they began with; forgets who is gone.
    pub(super) fn in_flight(&self) -> Vec<(Key, i64)> {
        self.with(|all| {
            forget_the_gone(all);
            all.iter()
                // One reference is the memory's own; each call holds another.
                .filter(|(_, of)| of.iter().any(|one| one.powers.strong_count() > 1))
                .filter_map(|(key, of)| Some((*key, of.iter().map(|one| one.generation).max()?)))
                .collect()
        })
    }
}

fn forget_the_gone(all: &mut HashMap<Key, Vec<One>>) {
    all.retain(|_, of| {
        of.retain(|one| one.powers.strong_count() > 0);
        !of.is_empty()
    });
}

impl One {
    fn tell(&self, fate: Fate<'_>) {
        let Some(powers) = self.powers.upgrade() else { return };
        match fate {
            Fate::End(code) => powers.end(code),
            Fate::Keep { digest, grants } if digest == &*self.digest => {
                powers.change(Arc::new(grants::kept(&powers.now(), grants)));
            }
            Fate::Keep { .. } => {}
        }
    }
}
