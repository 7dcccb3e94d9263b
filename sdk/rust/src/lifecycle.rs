//! What every world shares: features, findings and public documents, and the bridge from the generated interfaces to
//! the traits of this crate.

use serde_json::Value;

/// One facet that works, e.g. `login` or `refund`.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// The facet.
    pub name: String,
    /// Details, an object.
    pub extra: Value,
}

impl Feature {
    /// A facet without details.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::with(name, Value::Object(serde_json::Map::new()))
    }

    /// A facet with details.
    #[must_use]
    pub fn with(name: &str, extra: Value) -> Self {
        Self {
            name: name.to_owned(),
            extra,
        }
    }
}

/// One line of a configuration check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A JSON pointer into the config, when the finding is about one field.
    pub field: Option<String>,
    /// Whether this line is fine.
    pub ok: bool,
    /// What was found, for people.
    pub message: String,
}

impl Finding {
    /// Something that is fine.
    #[must_use]
    pub fn ok(message: impl Into<String>) -> Self {
        Self {
            field: None,
            ok: true,
            message: message.into(),
        }
    }

    /// Something that is wrong.
    #[must_use]
    pub fn problem(message: impl Into<String>) -> Self {
        Self {
            field: None,
            ok: false,
            message: message.into(),
        }
    }

    /// Says which field of the config it is about, as a JSON pointer.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.field = Some(pointer.to_owned());
        self
    }
}

/// A public document under the installation's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its media type.
    pub media_type: String,
    /// The bytes.
    pub body: Vec<u8>,
    /// How long it may be cached, in seconds.
    pub max_age_s: u32,
}

/// What a run of a job came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobRun {
    /// Applied like those of an inbound delivery.
    pub events: Vec<crate::Event>,
    /// Handed to the next run.
    pub cursor: Option<Vec<u8>>,
    /// Run again at once.
    pub more: bool,
}

/// Implements the generated `Guest` traits of the interfaces that worlds share, for the world's `Adapter`. The traits
/// are generated per world, hence a macro and not a function.
macro_rules! shared_exports {
    ($bindings:ident, $trait:path) => {
        #[cfg(target_family = "wasm")]
        impl<P: $trait + Default> $bindings::exports::aistack::core::lifecycle::Guest for Adapter<P> {
            fn describe() -> Vec<$bindings::exports::aistack::core::lifecycle::Feature> {
                P::default()
                    .describe()
                    .into_iter()
                    .map(|f| $bindings::exports::aistack::core::lifecycle::Feature {
                        name: f.name,
                        extra: f.extra.to_string(),
                    })
                    .collect()
            }
            fn check(c: crate::Context, deep: bool) -> Vec<$bindings::exports::aistack::core::lifecycle::Finding> {
                P::default()
                    .check(&crate::Host::component(), &c, deep)
                    .into_iter()
                    .map(|f| $bindings::exports::aistack::core::lifecycle::Finding {
                        field: f.field,
                        ok: f.ok,
                        message: f.message,
                    })
                    .collect()
            }
            fn migrate(c: crate::Context, from_version: String, config: String) -> Result<String, crate::Fault> {
                let config = crate::json::parse(config.as_bytes())?;
                P::default()
                    .migrate(&crate::Host::component(), &c, &from_version, config)
                    .map(|v| v.to_string())
            }
        }
    };
}

/// As [`shared_exports`], for the interfaces that reports do not have.
macro_rules! provider_exports {
    ($bindings:ident, $trait:path) => {
        #[cfg(target_family = "wasm")]
        impl<P: $trait + Default> $bindings::exports::aistack::core::inbound::Guest for Adapter<P> {
            fn handle(
                c: crate::Context,
                endpoint: String,
                req: crate::HttpRequest,
            ) -> Result<crate::Outcome, crate::Fault> {
                P::default().inbound(&crate::Host::component(), &c, &endpoint, req)
            }
        }
        #[cfg(target_family = "wasm")]
        impl<P: $trait + Default> $bindings::exports::aistack::core::documents::Guest for Adapter<P> {
            fn get(
                c: crate::Context,
                name: String,
            ) -> Result<$bindings::exports::aistack::core::documents::Doc, crate::Fault> {
                P::default()
                    .document(&crate::Host::component(), &c, &name)
                    .map(|d| $bindings::exports::aistack::core::documents::Doc {
                        media_type: d.media_type,
                        body: d.body,
                        max_age_s: d.max_age_s,
                    })
            }
        }
        #[cfg(target_family = "wasm")]
        impl<P: $trait + Default> $bindings::exports::aistack::core::jobs::Guest for Adapter<P> {
            fn start(
                c: crate::Context,
                name: String,
                cursor: Option<Vec<u8>>,
            ) -> Result<$bindings::exports::aistack::core::jobs::Run, crate::Fault> {
                P::default()
                    .job(&crate::Host::component(), &c, &name, cursor)
                    .map(|r| $bindings::exports::aistack::core::jobs::Run {
                        events: r.events,
                        cursor: r.cursor,
                        more: r.more,
                    })
            }
        }
    };
}

/// The methods of a provider trait that come from the shared interfaces, each with its default.
macro_rules! provider_methods {
    () => {
        /// What really works. Operations that are not named here answer `unsupported`.
        fn describe(&self) -> Vec<crate::Feature>;

        /// Checks the configuration; `deep` also talks to the provider.
        fn check(&self, host: &crate::Host, ctx: &crate::Context, deep: bool) -> Vec<crate::Finding> {
            let _ = (host, ctx, deep);
            Vec::new()
        }

        /// Turns a config written for an older version of the plugin into one for this version.
        ///
        /// # Errors
        /// `invalid-config` when that can't be done without a person.
        fn migrate(
            &self,
            host: &crate::Host,
            ctx: &crate::Context,
            from_version: &str,
            config: serde_json::Value,
        ) -> Result<serde_json::Value, crate::Fault> {
            let _ = (host, ctx, from_version);
            Ok(config)
        }
    };
}

/// As [`provider_methods`], for the interfaces that reports do not have.
macro_rules! inbound_methods {
    () => {
        /// Takes a delivery on an endpoint that the manifest declares. Verify it first: `Ok` says "this is genuine".
        ///
        /// # Errors
        /// `signature-invalid` or `expired` for a forged or stale delivery.
        fn inbound(
            &self,
            host: &crate::Host,
            ctx: &crate::Context,
            endpoint: &str,
            request: crate::HttpRequest,
        ) -> Result<crate::Outcome, crate::Fault> {
            let _ = (host, ctx, endpoint, request);
            Err(crate::Fault::unsupported("inbound"))
        }

        /// A public document; anybody may ask, so it must not reveal configuration.
        ///
        /// # Errors
        /// `not-found` for a name the plugin does not have.
        fn document(
            &self,
            host: &crate::Host,
            ctx: &crate::Context,
            name: &str,
        ) -> Result<crate::Document, crate::Fault> {
            let _ = (host, ctx);
            Err(crate::Fault::not_found(
                "no_such_document",
                format!("there is no document {name:?}"),
            ))
        }

        /// Runs a job that the manifest schedules.
        ///
        /// # Errors
        /// `unsupported` for a name the plugin does not have.
        fn job(
            &self,
            host: &crate::Host,
            ctx: &crate::Context,
            name: &str,
            cursor: Option<Vec<u8>>,
        ) -> Result<crate::JobRun, crate::Fault> {
            let _ = (host, ctx, name, cursor);
            Err(crate::Fault::unsupported("job"))
        }
    };
}

pub(crate) use {inbound_methods, provider_exports, provider_methods, shared_exports};
