//! The exports of the payment world. A crate per world, because the macros wit-bindgen exports are global to a crate and two
//! worlds share interfaces (`lifecycle`). Plugins use `aistack-sdk`, whose `export_payment!` calls the macro made here.

#[allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated from wit/")]
#[doc(hidden)]
pub mod generated {
    wit_bindgen::generate!({
        path: "../../../wit/v1",
        world: "aistack:payment/payment-provider",
        with: {
            "aistack:core/types@1.0.0": aistack_bindings_core::types,
            "aistack:host/log@1.0.0": aistack_bindings_core::host::log,
            "aistack:host/config@1.0.0": aistack_bindings_core::host::config,
            "aistack:host/clock@1.0.0": aistack_bindings_core::host::clock,
            "aistack:host/random@1.0.0": aistack_bindings_core::host::random,
            "aistack:host/kv@1.0.0": aistack_bindings_core::host::kv,
            "aistack:host/secrets@1.0.0": aistack_bindings_core::host::secrets,
            "aistack:host/crypto@1.0.0": aistack_bindings_core::host::crypto,
            "aistack:host/http@1.0.0": aistack_bindings_core::host::http,
            "aistack:host/blob@1.0.0": aistack_bindings_core::host::blob,
            "aistack:host/download@1.0.0": aistack_bindings_core::host::download,
        },
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_payment_bindings",
        additional_derives: [PartialEq],
    });
}

pub use generated::exports;
