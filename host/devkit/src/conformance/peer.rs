//! The provider of the fixtures: answers by rule, remembers what it was asked, and can be cut off.

use super::fixtures::{Answer, Fixtures};
use crate::run::StagedClock;
use aistack_core::Clock;
use aistack_plugins::{HttpPeer, PeerFailure, PeerRequest, PeerResponse};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most requests it remembers.
const MOST: usize = 10_000;

/// See the module.
#[derive(Debug)]
pub struct ScriptedPeer {
    answers: Vec<Answer>,
    clock: Arc<StagedClock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seen: Vec<PeerRequest>,
    failure: Option<PeerFailure>,
}

impl ScriptedPeer {
    /// With these answers.
    #[must_use]
    pub fn new(fixtures: &Fixtures, clock: Arc<StagedClock>) -> Self {
        Self {
            answers: fixtures.http.clone(),
            clock,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what it was asked, and answers again.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    /// Fails every exchange from now on.
    pub fn fail(&self, failure: PeerFailure) {
        self.state().failure = Some(failure);
    }

    /// What it was asked, in order.
    #[must_use]
    pub fn seen(&self) -> Vec<PeerRequest> {
        self.state().seen.clone()
    }
}

fn fits(answer: &Answer, request: &PeerRequest) -> bool {
    let url = request.url.split(['?', '#']).next().unwrap_or_default();
    let same = match answer.url.strip_suffix('*') {
        Some(prefix) => url.starts_with(prefix),
        // A URL without a path is one with an empty path.
        None => url.trim_end_matches('/') == answer.url.trim_end_matches('/'),
    };
    same && answer.method.eq_ignore_ascii_case(&request.method)
}

impl HttpPeer for ScriptedPeer {
    fn answer(&self, request: PeerRequest) -> Result<PeerResponse, PeerFailure> {
        let found = self.answers.iter().find(|a| fits(a, &request)).cloned();
        let what = format!(
            "{} {}",
            request.method,
            request.url.split('?').next().unwrap_or_default()
        );
        let mut state = self.state();
        if state.seen.len() < MOST {
            state.seen.push(request);
        }
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        let Some(answer) = found else {
            return Err(PeerFailure::Unreachable(format!(
                "no [[http]] of the fixtures answers {what}"
            )));
        };
        let now = self.clock.now();
        let filled = |text: &str| {
            let text = text.replace("${now_s}", &now.as_secs().to_string());
            text.replace("${now_ms}", &now.as_millis().to_string())
        };
        let mut headers: Vec<(String, Vec<u8>)> = answer
            .headers
            .iter()
            .map(|(k, v)| (k.to_ascii_lowercase(), filled(v).into_bytes()))
            .collect();
        if answer.json.is_some() && !headers.iter().any(|(k, _)| k == "content-type") {
            headers.push(("content-type".to_owned(), b"application/json".to_vec()));
        }
        let body = answer.json.map(|j| j.to_string()).or(answer.body).unwrap_or_default();
        Ok(PeerResponse {
            status: answer.status,
            headers,
            body: filled(&body).into_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(method: &str, url: &str) -> Answer {
        toml::from_str(&format!("method = {method:?}\nurl = {url:?}")).unwrap()
    }
    fn asked(method: &str, url: &str) -> PeerRequest {
        PeerRequest {
            method: method.into(),
            url: url.into(),
            headers: vec![],
            body: vec![],
        }
    }

    #[test]
    fn rules_are_about_method_and_url_without_its_query() {
        assert!(fits(
            &rule("GET", "https://a.test/x"),
            &asked("GET", "https://a.test/x?y=1")
        ));
        assert!(fits(&rule("get", "https://a.test"), &asked("GET", "https://a.test/")));
        assert!(fits(
            &rule("GET", "https://a.test/x/*"),
            &asked("GET", "https://a.test/x/1/2")
        ));
        for (method, url) in [
            ("POST", "https://a.test/x"),
            ("GET", "https://a.test/xy"),
            ("GET", "https://b.test/x"),
        ] {
            assert!(
                !fits(&rule("GET", "https://a.test/x"), &asked(method, url)),
                "{method} {url}"
            );
        }
    }
}
