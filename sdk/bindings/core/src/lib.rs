//! What all worlds share: the contract's records and the imports a host may offer, generated once so that a fault or
//! a request is the same Rust type in every world. Plugins use `aistack-sdk`, which wraps this crate.

#[allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated from wit/")]
#[doc(hidden)]
pub mod generated {
    wit_bindgen::generate!({
        inline: "
            package aistack:sdk@1.0.0;
            world imports {
                import aistack:host/log@1.0.0;
                import aistack:host/config@1.0.0;
                import aistack:host/clock@1.0.0;
                import aistack:host/random@1.0.0;
                import aistack:host/kv@1.0.0;
                import aistack:host/secrets@1.0.0;
                import aistack:host/reveal@1.0.0;
                import aistack:host/crypto@1.0.0;
                import aistack:host/http@1.0.0;
                import aistack:host/dial@1.0.0;
                import aistack:host/blob@1.0.0;
                import aistack:host/download@1.0.0;
                import aistack:report/datasets@1.0.0;
            }
        ",
        path: "../../../wit/v1",
        world: "aistack:sdk/imports",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq],
        // It borrows a handle, and handles can't be compared.
        additional_derives_ignore: ["credential"],
    });
}

mod fault;
mod http;
mod money;

pub use generated::aistack::{core::types, host, report};
