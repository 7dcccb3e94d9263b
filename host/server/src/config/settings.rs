//! `settings!`: a section of the configuration, with defaults and a description that stands beside each field and ends
//! up in `docs/config.md`.

/// A setting, for the reference.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Name.
    pub name: &'static str,
    /// Description; lines begin with a blank.
    pub doc: &'static str,
    /// Rust type, to say in words.
    pub kind: &'static str,
}

/// A section, for the reference.
pub struct Section {
    /// Name in the file.
    pub name: &'static str,
    /// What it is about.
    pub doc: &'static str,
    /// Its settings.
    pub settings: &'static [Setting],
}

macro_rules! settings {
    ($(#[doc = $sdoc:literal])+ $name:ident in $section:literal { $($(#[doc = $doc:literal])+ $field:ident: $kind:ty = $default:expr,)+ }) => {
        $(#[doc = $sdoc])+
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[doc = $doc])+ #[serde(skip_serializing_if = "crate::config::settings::is_unset")] pub $field: $kind,)+ }

        impl Default for $name {
            fn default() -> Self { Self { $($field: $default,)+ } }
        }

        impl $name {
            /// For the reference.
            pub const SECTION: crate::config::settings::Section = crate::config::settings::Section {
                name: $section,
                doc: concat!($($sdoc, "\n"),+),
                settings: &[$(crate::config::settings::Setting {
                    name: stringify!($field), doc: concat!($($doc, "\n"),+), kind: stringify!($kind),
                }),+],
            };
        }
    };
}
pub(crate) use settings;

/// Whether a value is one that TOML can't show: an option that is not set.
pub(crate) fn is_unset<T: serde::Serialize>(value: &T) -> bool {
    toml::Value::try_from(value).is_err()
}
