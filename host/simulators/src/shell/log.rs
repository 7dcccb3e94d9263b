//! What came and went, for `GET /_sim/log`. Secrets are taken out before anything is kept.

use crate::wire::Fields;
use aistack_core::Timestamp;
use http::HeaderMap;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many entries are kept.
const KEPT: usize = 500;
/// How much of a body is kept, in bytes.
const EXCERPT: usize = 4096;
/// Headers whose value is never kept.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// Fields of forms and JSON documents whose value is never kept.
const SECRET_FIELDS: [&str; 14] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "corpsecret",
    "id_token",
    "password",
    "private_key",
    "refresh_token",
    "secret",
    "token",
    "user_ticket",
];
const REMOVED: &str = "[removed]";

/// The latest entries.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<VecDeque<Value>>);

impl Log {
    pub(crate) fn add(&self, at: Timestamp, direction: &str, mut entry: Value) {
        entry["at"] = json!(at);
        entry["direction"] = json!(direction);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn entries(&self) -> Value {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Value::Array(entries.iter().cloned().collect())
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Path and query without secrets.
pub(crate) fn target(target: &str) -> String {
    match target.split_once('?') {
        Some((path, query)) => format!("{path}?{}", fields(query.as_bytes())),
        None => target.to_owned(),
    }
}

/// Headers without secrets.
pub(crate) fn headers(headers: &HeaderMap) -> Value {
    let entries = headers.iter().map(|(name, value)| {
        let secret = SECRET_HEADERS.contains(&name.as_str());
        let shown = if secret {
            REMOVED
        } else {
            value.to_str().unwrap_or("[not text]")
        };
        (name.to_string(), json!(shown))
    });
    Value::Object(entries.collect())
}

/// A body without secrets: JSON stays JSON, forms stay forms, other text is cut.
pub(crate) fn body(media_type: &str, body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if let Ok(mut document) = serde_json::from_slice::<Value>(body)
        && (document.is_object() || document.is_array())
    {
        clean(&mut document);
        return if body.len() <= EXCERPT {
            document
        } else {
            excerpt(&document.to_string())
        };
    }
    match std::str::from_utf8(body) {
        Ok(_) if media_type.starts_with("application/x-www-form-urlencoded") => excerpt(&fields(body)),
        Ok(text) => excerpt(text),
        Err(_) => json!(format!("[{} bytes]", body.len())),
    }
}

fn excerpt(text: &str) -> Value {
    let end = (0..=EXCERPT.min(text.len())).rev().find(|i| text.is_char_boundary(*i));
    let more = if text.len() > EXCERPT { "…" } else { "" };
    json!(format!("{}{more}", &text[..end.unwrap_or_default()]))
}

fn fields(text: &[u8]) -> String {
    let cleaned = Fields::parse(text).0.into_iter().map(|(name, value)| {
        let value = if secret(&name) { REMOVED.to_owned() } else { value };
        (name, value)
    });
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(cleaned)
        .finish()
}

fn secret(name: &str) -> bool {
    SECRET_FIELDS.contains(&name.to_ascii_lowercase().as_str())
}

fn clean(document: &mut Value) {
    match document {
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                // A numeric or nested `code` is an error's, not a credential.
                if secret(name) && value.is_string() {
                    *value = json!(REMOVED);
                } else {
                    clean(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_reach_the_log() {
        let shown = [
            target("/cgi-bin/gettoken?corpid=ww1&corpsecret=HUSH"),
            body("application/x-www-form-urlencoded", b"client_secret=HUSH&code=HUSH&a=1").to_string(),
            body("application/json", br#"{"a": [{"access_token": "HUSH"}], "code": 7}"#).to_string(),
            headers(&HeaderMap::from_iter([(
                http::header::AUTHORIZATION,
                "HUSH".parse().unwrap(),
            )]))
            .to_string(),
        ];
        for text in &shown {
            assert!(!text.contains("HUSH"), "{text}");
        }
        assert!(shown[0].contains("corpid=ww1") && shown[2].contains('7'));
    }
}
