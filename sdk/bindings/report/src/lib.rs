//! The exports of the report world. A crate per world, because the macros wit-bindgen exports are global to a crate and two
//! worlds share interfaces (`lifecycle`). Plugins use `aistack-sdk`, whose `export_report!` calls the macro made here.

#[allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated from wit/")]
#[doc(hidden)]
pub mod generated {
    wit_bindgen::generate!({
        path: "../../../wit/v1",
        world: "aistack:report/report-generator",
        with: {
            "aistack:core/types@1.0.0": aistack_bindings_core::types,
            "aistack:host/log@1.0.0": aistack_bindings_core::host::log,
            "aistack:host/config@1.0.0": aistack_bindings_core::host::config,
            "aistack:host/clock@1.0.0": aistack_bindings_core::host::clock,
            "aistack:host/blob@1.0.0": aistack_bindings_core::host::blob,
            "aistack:report/datasets@1.0.0": aistack_bindings_core::report::datasets,
        },
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_report_bindings",
        additional_derives: [PartialEq],
    });
}

pub use generated::exports;
