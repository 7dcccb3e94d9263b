//! What a plugin may answer to a provider in our name.

use super::Answer;
use crate::plugins::port::HttpResponse;

/// Largest answer body a plugin may give a provider.
const MAX_ANSWER: usize = 64 << 10;

/// An answer that may leave the house: a sane status, no headers that mean something to a browser.
pub(super) fn presentable(answer: HttpResponse, fallback: u16) -> Answer {
    let allowed = ["content-type", "cache-control", "retry-after"];
    let status = if (200..=599).contains(&answer.status) {
        answer.status
    } else {
        fallback
    };
    let headers = answer
        .headers
        .into_iter()
        .map(|(k, v)| (k.to_ascii_lowercase(), v))
        .filter(|(k, v)| allowed.contains(&k.as_str()) && v.len() <= 200 && v.iter().all(|b| (0x20..0x7f).contains(b)))
        .collect();
    let mut body = answer.body;
    body.truncate(MAX_ANSWER);
    HttpResponse { status, headers, body }
}
