//! Generated bindings of contract version 1. Types and host interfaces are generated once, with the identity world,
//! and shared by the others. Only imports that wait are async: a synchronous host call costs 0.2 µs.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::semicolon_if_nothing_returned,
    clippy::needless_pass_by_value,
    unused_qualifications,
    reason = "generated code; the documentation is in wit/v1"
)]

/// World `aistack:identity/identity-provider`.
pub mod identity {
    wasmtime::component::bindgen!({
        path: "../../wit/v1",
        world: "aistack:identity/identity-provider@1.0.0",
        imports: {
            "aistack:host/kv": async | trappable,
            "aistack:host/http": async | trappable,
            "aistack:host/dial": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: {
            "aistack:host/secrets.secret": crate::imports::SecretHandle,
            "aistack:host/dial.conn": crate::imports::Connection,
        },
        require_store_data_send: true,
    });
}

/// World `aistack:payment/payment-provider`.
pub mod payment {
    wasmtime::component::bindgen!({
        path: "../../wit/v1",
        world: "aistack:payment/payment-provider@1.0.0",
        imports: {
            "aistack:host/blob": async | trappable,
            "aistack:host/download": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: {
            "aistack:core/types": super::identity::aistack::core::types,
            "aistack:host/log": super::identity::aistack::host::log,
            "aistack:host/config": super::identity::aistack::host::config,
            "aistack:host/clock": super::identity::aistack::host::clock,
            "aistack:host/random": super::identity::aistack::host::random,
            "aistack:host/kv": super::identity::aistack::host::kv,
            "aistack:host/secrets": super::identity::aistack::host::secrets,
            "aistack:host/crypto": super::identity::aistack::host::crypto,
            "aistack:host/http": super::identity::aistack::host::http,
            "aistack:host/blob.sink": crate::imports::Sink,
            "aistack:host/download.reader": crate::imports::Download,
        },
        require_store_data_send: true,
    });
}

/// World `aistack:report/report-generator`.
pub mod report {
    wasmtime::component::bindgen!({
        path: "../../wit/v1",
        world: "aistack:report/report-generator@1.0.0",
        imports: {
            "aistack:report/datasets.open": async | trappable,
            "aistack:report/datasets.[method]rows.next": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: {
            "aistack:core/types": super::identity::aistack::core::types,
            "aistack:host/log": super::identity::aistack::host::log,
            "aistack:host/config": super::identity::aistack::host::config,
            "aistack:host/clock": super::identity::aistack::host::clock,
            "aistack:host/blob": super::payment::aistack::host::blob,
            "aistack:report/datasets.rows": crate::imports::Rows,
        },
        require_store_data_send: true,
    });
}

pub use identity::aistack::core::types;
pub use identity::aistack::host::{clock, config, crypto, dial, http, kv, log, random, reveal, secrets};
pub use payment::aistack::host::{blob, download};
pub use report::aistack::report::datasets;
