//! A DNS that answers what a test says.

use aistack_domain::port::{LookupError, Resolver};
use std::{collections::BTreeMap, sync::Mutex};

type Records = Result<Vec<Vec<u8>>, LookupError>;

/// TXT records by name; what is not mentioned does not exist.
#[derive(Default)]
pub(crate) struct Zone(Mutex<BTreeMap<String, Records>>);

impl Zone {
    /// Says what is answered for a name.
    pub(crate) fn set(&self, name: &str, answer: Result<&[&str], LookupError>) {
        let answer = answer.map(|texts| texts.iter().map(|t| t.as_bytes().to_vec()).collect());
        self.0.lock().unwrap().insert(name.to_owned(), answer);
    }
}

#[async_trait::async_trait]
impl Resolver for Zone {
    async fn txt(&self, name: &str) -> Records {
        let zone = self.0.lock().unwrap();
        zone.get(name).cloned().unwrap_or(Err(LookupError::NoSuchName))
    }
}
