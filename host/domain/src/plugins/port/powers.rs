//! What an installation may do at this moment. Calls hold it while they run, so that taking a grant away, switching the
//! installation off or quarantining its plugin reaches them too.

use super::Grants;
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::watch;

/// Live grants of one installation, shared by its calls in flight.
#[derive(Debug)]
pub struct Powers {
    now: ArcSwap<Grants>,
    /// Why calls must end, once they must.
    ended: watch::Sender<Option<&'static str>>,
}

impl Powers {
    /// With these grants.
    #[must_use]
    pub fn new(grants: Arc<Grants>) -> Self {
        Self {
            now: ArcSwap::new(grants),
            ended: watch::Sender::new(None),
        }
    }

    /// The grants at this moment.
    #[must_use]
    pub fn now(&self) -> Arc<Grants> {
        self.now.load_full()
    }

    /// Puts other grants in force, for calls in flight as well.
    pub fn change(&self, grants: Arc<Grants>) {
        self.now.store(grants);
    }

    /// Ends the calls in flight, with a code such as `disabled`, `removed` or `quarantined`. The first one stays.
    pub fn end(&self, code: &'static str) {
        self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            if first {
                *ended = Some(code);
            }
            first
        });
    }

    /// Why calls must end, if they must.
    #[must_use]
    pub fn ended(&self) -> Option<&'static str> {
        *self.ended.borrow()
    }

    /// Waits until calls must end, and says why. For ever, if that never happens.
    pub async fn lost(&self) -> &'static str {
        let mut changes = self.ended.subscribe();
        loop {
            if let Some(code) = *changes.borrow_and_update() {
                return code;
            }
            // The sender is in `self`, so this can't fail while somebody waits.
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_holds_it_sees_the_change_and_the_end() {
        let powers = Arc::new(Powers::new(Arc::default()));
        let held = Arc::clone(&powers);
        let call = tokio::spawn(async move { held.lost().await });
        let fewer = Grants {
            interfaces: vec!["log".to_owned()],
            ..Grants::default()
        };
        powers.change(Arc::new(fewer.clone()));
        assert_eq!(*powers.now(), fewer);
        assert_eq!(powers.ended(), None);
        powers.end("disabled");
        powers.end("removed");
        assert_eq!(call.await.unwrap(), "disabled");
        assert_eq!(powers.lost().await, "disabled");
    }
}
