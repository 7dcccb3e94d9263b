//! The exports of the identity world. A crate per world, because the macros wit-bindgen exports are global to a crate and two
//! worlds share interfaces (`lifecycle`). Plugins use `aistack-sdk`, whose `export_identity!` calls the macro made here.

#[allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated from wit/")]
#[doc(hidden)]
pub mod generated {
    wit_bindgen::generate!({
        path: "../../../wit/v1",
        world: "aistack:identity/identity-provider",
        with: {
            "aistack:core/types@1.0.0": aistack_bindings_core::types,
            "aistack:host/log@1.0.0": aistack_bindings_core::host::log,
            "aistack:host/config@1.0.0": aistack_bindings_core::host::config,
            "aistack:host/clock@1.0.0": aistack_bindings_core::host::clock,
            "aistack:host/random@1.0.0": aistack_bindings_core::host::random,
            "aistack:host/kv@1.0.0": aistack_bindings_core::host::kv,
            "aistack:host/secrets@1.0.0": aistack_bindings_core::host::secrets,
            "aistack:host/reveal@1.0.0": aistack_bindings_core::host::reveal,
            "aistack:host/crypto@1.0.0": aistack_bindings_core::host::crypto,
            "aistack:host/http@1.0.0": aistack_bindings_core::host::http,
            "aistack:host/dial@1.0.0": aistack_bindings_core::host::dial,
        },
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_identity_bindings",
        additional_derives: [PartialEq],
    });
}

pub use generated::exports;
