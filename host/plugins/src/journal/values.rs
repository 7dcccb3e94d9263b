//! The contract's own types as JSON. Records name all their fields and alternatives all their cases, so that a change of
//! the contract does not compile until it is in the journal too.

use super::wire::{Fields, Pen, Unreadable, Wire, alternative};
use crate::v1::bindings::{
    crypto, datasets, dial, download, http,
    identity::exports::aistack::{
        core as identity_core,
        identity::{directory, login},
    },
    kv, log,
    payment::exports::aistack::{
        core as payment_core,
        payment::{payments, refunds, settlement},
    },
    report::exports::aistack::core as report_core,
    types,
};
use serde_json::{Map, Value, json};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;

macro_rules! records {
    ($($type:ty { $($field:ident),* })*) => {$(
        impl Wire for $type {
            fn put(&self, pen: &mut Pen<'_>) -> Value {
                let Self { $($field),* } = self;
                let mut members = Map::new();
                $(
                    pen.written += stringify!($field).len();
                    members.insert(stringify!($field).to_owned(), $field.put(pen));
                )*
                Value::Object(members)
            }
            fn take(value: Value) -> Result<Self, Unreadable> {
                let mut fields = Fields::of(value)?;
                Ok(Self { $($field: fields.next(stringify!($field))?),* })
            }
        }
    )*};
}

/// `Case` alone, or `Case(what comes with it)`.
macro_rules! variants {
    ($($type:ty { $($name:literal = $case:ident $(($with:ident))?),* })*) => {$(
        impl Wire for $type {
            fn put(&self, pen: &mut Pen<'_>) -> Value {
                pen.written += 8;
                match self {
                    $(Self::$case $(($with))? => variants!(@put pen, $name $(, $with)?),)*
                }
            }
            fn take(value: Value) -> Result<Self, Unreadable> {
                #[allow(unused_variables, reason = "alternatives that nothing comes with")]
                let (name, with) = alternative(value)?;
                match name.as_str() {
                    $($name => Ok(variants!(@take with, $case $(, $with)?)),)*
                    _ => Err(Unreadable("a known alternative")),
                }
            }
        }
    )*};
    (@put $pen:ident, $name:literal) => { Value::from($name) };
    (@put $pen:ident, $name:literal, $with:ident) => { json!({ $name: $with.put($pen) }) };
    (@take $value:ident, $case:ident) => { Self::$case };
    (@take $value:ident, $case:ident, $with:ident) => { Self::$case(Wire::take($value)?) };
}

records! {
    types::Pair { key, value }
    types::Money { minor, currency, exponent }
    types::Fault { kind, code, message, user_message, retry_after_ms, outcome_unknown, provider_ref }
    types::HttpRequest { method, url, headers, body }
    types::HttpResponse { status, headers, body }
    types::Context {
        tenant, installation, call_id, trace, locale, time_zone, live, attempt, budget_ms, base_url, extra
    }
    types::Event { id, kind, occurred_ms, subject, data }
    types::Outcome { ack, nack, events }

    kv::Entry { value, version }
    http::Options { timeout_ms, max_bytes, redirects, idempotent, ca }
    dial::Endpoint { host, port, tls, server_name, ca, timeout_ms }
    crypto::CertificateInfo { serial, subject, issuer, not_before_ms, not_after_ms, public_key }
    datasets::Column { name, kind, labels, unit }
    Datetime { seconds, nanoseconds }

    identity_core::lifecycle::Feature { name, extra }
    identity_core::lifecycle::Finding { field, ok, message }
    identity_core::documents::Doc { media_type, body, max_age_s }
    identity_core::jobs::Run { events, cursor, more }
    payment_core::lifecycle::Feature { name, extra }
    payment_core::lifecycle::Finding { field, ok, message }
    payment_core::documents::Doc { media_type, body, max_age_s }
    payment_core::jobs::Run { events, cursor, more }
    report_core::lifecycle::Feature { name, extra }
    report_core::lifecycle::Finding { field, ok, message }

    login::Start { return_url, user_agent, login_hint, prompt, purpose, extra }
    login::Field { name, label, secret }
    login::User {
        subject, alternate_ids, username, email, email_verified, phone, display_name, avatar, groups, attributes
    }
    login::Session { user, provider_session, expires_ms, acr, amr, tokens }
    login::Progress { step, state, expires_s }
    directory::Group { id, parent, name, extra }
    directory::Page { changes, cursor, more, full_snapshot_end }

    payments::Order {
        id, amount, description, method, payer, capture, return_url, notify_url, expires_ms, agreement,
        idempotency_key, metadata, extra
    }
    payments::Payment { provider_ref, status, action, paid, fee, occurred_ms, state, raw }
    refunds::Refund { id, provider_ref, status, amount, reason }
    settlement::Line { order_id, provider_ref, kind, gross, fee, net, occurred_ms, payout, extra }
    settlement::Page { lines, cursor, more, not_ready }
}

variants! {
    types::Kind {
        "unsupported" = Unsupported, "invalid-config" = InvalidConfig, "invalid-input" = InvalidInput,
        "denied" = Denied, "not-found" = NotFound, "conflict" = Conflict, "declined" = Declined,
        "expired" = Expired, "signature-invalid" = SignatureInvalid, "rate-limited" = RateLimited,
        "transport" = Transport, "provider" = Provider, "internal" = Internal
    }
    log::Level { "trace" = Trace, "debug" = Debug, "info" = Info, "warn" = Warn, "error" = Error }
    http::Credential {
        "none" = None, "bearer" = Bearer(v), "basic" = Basic(v), "header" = Header(v), "query" = Query(v),
        "form" = Form(v), "client-cert" = ClientCert(v)
    }
    dial::Tls { "none" = None, "direct" = Direct, "starttls" = Starttls }
    download::Packing { "none" = None, "gzip" = Gzip, "zip" = Zip }
    datasets::ColumnKind {
        "text" = Text, "int" = Int, "decimal" = Decimal, "time" = Time, "date" = Date, "flag" = Flag
    }
    datasets::Cell {
        "null" = Null, "text" = Text(v), "int" = Int(v), "decimal" = Decimal(v), "time-ms" = TimeMs(v),
        "date" = Date(v), "flag" = Flag(v)
    }
    login::Step {
        "redirect" = Redirect(v), "form-post" = FormPost(v), "prompt" = Prompt(v), "qr" = Qr(v), "embed" = Embed(v),
        "wait" = Wait(v), "done" = Done(v)
    }
    directory::EntryKind { "user" = User, "group" = Group }
    directory::Change { "user" = User(v), "group" = Group(v), "member" = Member(v), "gone" = Gone(v) }
    payments::Status {
        "created" = Created, "pending" = Pending, "action-needed" = ActionNeeded, "authorised" = Authorised,
        "paid" = Paid, "part-refunded" = PartRefunded, "refunded" = Refunded, "failed" = Failed,
        "cancelled" = Cancelled, "disputed" = Disputed, "unknown" = Unknown
    }
    payments::Action {
        "redirect" = Redirect(v), "form-post" = FormPost(v), "qr" = Qr(v), "client" = Client(v), "none" = None
    }
}

/// Fields of a sign-in form that are no secrets. Which the plugin asked for as secrets is not known any more when they
/// come back, so all others are taken for one.
const HARMLESS: [&str; 9] = [
    "username", "user", "login", "email", "uid", "name", "account", "domain", "tenant",
];

impl Wire for login::Input {
    fn put(&self, pen: &mut Pen<'_>) -> Value {
        match self {
            Self::Http(request) => json!({ "http": request.put(pen) }),
            Self::Fields(fields) => json!({ "fields": fields.put(pen) }),
            Self::Poll => "poll".into(),
        }
    }
    fn take(value: Value) -> Result<Self, Unreadable> {
        let (name, with) = alternative(value)?;
        match name.as_str() {
            "http" => Wire::take(with).map(Self::Http),
            "fields" => Wire::take(with).map(Self::Fields),
            "poll" => Ok(Self::Poll),
            _ => Err(Unreadable("a known alternative")),
        }
    }
    fn confide(&mut self, each: &mut dyn FnMut(&mut String)) {
        if let Self::Fields(fields) = self {
            let typed = fields.iter_mut().filter(|f| !HARMLESS.contains(&f.key.as_str()));
            typed.for_each(|f| each(&mut f.value));
        }
    }
}
