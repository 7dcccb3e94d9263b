//! `export_identity!`, `export_payment!` and `export_report!`.

/// Puts the plugin's manifest and config schema into the component as custom sections, where the host reads them at
/// install. Both files stand beside the plugin's `Cargo.toml`.
#[doc(hidden)]
#[macro_export]
macro_rules! embed_manifest {
    () => {
        const _: () = {
            const MANIFEST: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/aistack-plugin.toml"));
            const SCHEMA: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json"));

            const fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
                let mut out = [0; N];
                let mut i = 0;
                while i < N {
                    out[i] = bytes[i];
                    i += 1;
                }
                out
            }

            #[used]
            #[cfg_attr(target_family = "wasm", unsafe(link_section = "aistack:manifest"))]
            static MANIFEST_SECTION: [u8; MANIFEST.len()] = array(MANIFEST);
            #[used]
            #[cfg_attr(target_family = "wasm", unsafe(link_section = "aistack:config-schema"))]
            static SCHEMA_SECTION: [u8; SCHEMA.len()] = array(SCHEMA);
        };
    };
}

/// Exports a type that implements [`crate::identity::Provider`] and [`Default`] as a plugin, together with its
/// `aistack-plugin.toml` and `config.schema.json`.
#[macro_export]
macro_rules! export_identity {
    ($plugin:ty) => {
        $crate::embed_manifest!();
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Adapter = $crate::identity::Adapter<$plugin>;
            $crate::bindings::identity::generated::export_identity_bindings!(
                Adapter with_types_in $crate::bindings::identity::generated
            );
        };
    };
}

/// Exports a type that implements [`crate::payment::Provider`] and [`Default`] as a plugin, together with its
/// `aistack-plugin.toml` and `config.schema.json`.
#[macro_export]
macro_rules! export_payment {
    ($plugin:ty) => {
        $crate::embed_manifest!();
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Adapter = $crate::payment::Adapter<$plugin>;
            $crate::bindings::payment::generated::export_payment_bindings!(
                Adapter with_types_in $crate::bindings::payment::generated
            );
        };
    };
}

/// Exports a type that implements [`crate::report::Generator`] and [`Default`] as a plugin, together with its
/// `aistack-plugin.toml` and `config.schema.json`.
#[macro_export]
macro_rules! export_report {
    ($plugin:ty) => {
        $crate::embed_manifest!();
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Adapter = $crate::report::Adapter<$plugin>;
            $crate::bindings::report::generated::export_report_bindings!(
                Adapter with_types_in $crate::bindings::report::generated
            );
        };
    };
}
