//! Testing plugins natively, in milliseconds and without WebAssembly.
//!
//! [`FakeHost`] stands in for the platform: scripted HTTP answers, secrets, key-value state, datasets and files, with
//! clock and randomness under the test's control, real cryptography, and the grants of the plugin's own manifest
//! enforced. [`conformance`] holds one suite per world that every plugin has to pass.
//!
//! ```text
//! let host = FakeHost::for_plugin(MANIFEST, json!({"api_base": "https://api.example"}))
//!     .secret("key", "sk_test")
//!     .on(post("https://api.example/v1/charges")).reply_json(200, json!({"id": "ch_1"}));
//! let payment = Plugin.create(&host, &context(), order)?;
//! assert_eq!(host.requests()[0].header("idempotency-key"), Some("k1"));
//! ```

#![allow(
    clippy::missing_panics_doc,
    reason = "a double that panics fails its test, which is what it is for"
)]

pub mod conformance;
mod fake;
pub mod keys;
pub mod manifest;
pub mod schema;
#[cfg(test)]
mod tests;

pub use fake::{FakeHost, LogLine, Matcher, On, Request, delete, get, post, put};

use aistack_sdk::{Context, Money};

/// The context of a call in test mode: locale `en`, UTC, first attempt.
#[must_use]
pub fn context() -> Context {
    Context {
        tenant: "ten_00000000000000000000000000".into(),
        installation: "ins_00000000000000000000000000".into(),
        call_id: "call_0000000000000000000000000".into(),
        trace: String::new(),
        locale: "en".into(),
        time_zone: "UTC".into(),
        live: false,
        attempt: 1,
        budget_ms: 10_000,
        base_url: "https://acme.example.test".into(),
        extra: "{}".into(),
    }
}

/// An amount with the exponent given by hand, as the host would fill it in.
#[must_use]
pub fn money(minor: i64, currency: &str, exponent: u8) -> Money {
    Money {
        minor,
        currency: currency.into(),
        exponent,
    }
}
