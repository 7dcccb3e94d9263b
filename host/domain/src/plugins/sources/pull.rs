//! Components from a registry, pulled by the server.

use super::SourceKind;
use crate::{
    App, Ctx, FieldError, Problem,
    plugins::{
        catalogue::{self, Listed, MAX_COMPONENT},
        trust::Terms,
    },
    port::RegistryError,
};
use aistack_core::ProblemKind;
use sha2::{Digest, Sha256};

/// What is to be pulled.
#[derive(Debug, Clone, Default)]
pub struct Pull {
    /// `oci://host/name:tag@sha256:…`.
    pub reference: String,
    /// What is demanded of the component.
    pub terms: Terms,
}

/// Pulls a component from a registry the operator listed, and installs it. A refusal is written to the audit log.
///
/// # Errors
/// `validation_failed` for a reference that is none or a registry that is not listed, `not_found`,
/// `plugin_refused` with the reason, `upstream_unavailable`, or as [`catalogue::install`].
pub async fn pull(app: &App, ctx: &Ctx, wanted: Pull) -> Result<Listed, Problem> {
    let Pull { reference, mut terms } = wanted;
    let mut digest = None;
    let came = match app.registry.pull(&reference, MAX_COMPONENT as u64).await {
        Ok(pulled) => {
            digest = Some(hex::encode(Sha256::digest(&pulled.component)));
            let pinned = reference.contains('@');
            terms.source = Some(match pinned {
                true => reference.clone(),
                false => format!("{reference}@{}", pulled.manifest),
            });
            catalogue::install(app, ctx, &pulled.component, &terms).await
        }
        Err(e) => {
            let problem = Problem::from(e);
            if problem.kind == ProblemKind::PluginRefused {
                catalogue::record_refusal(app, ctx, &problem, None, Some(&reference)).await?;
            }
            Err(problem)
        }
    };
    app.sources
        .tell((SourceKind::Registry, &reference), digest, &came, app.clock.now());
    came
}

impl From<RegistryError> for Problem {
    fn from(e: RegistryError) -> Self {
        use ProblemKind as K;
        let text = e.to_string();
        let refused = |reason: &str, hint: &str| {
            Self::new(K::PluginRefused, text.clone())
                .with("reason", reason)
                .hint(hint)
        };
        let field =
            |code: &str, hint: &str| Self::invalid(vec![FieldError::new("/reference", code, text.clone()).hint(hint)]);
        match e {
            RegistryError::Reference(_) => field(
                "format",
                "write it as oci://registry.example/acme/pay:1.2.0, with @sha256:… behind it to pin it",
            ),
            RegistryError::NotListed(_) => field(
                "registry_not_listed",
                "an operator adds it to [plugins] registries; or pull it from your own machine: aistack plugin install oci://…",
            ),
            RegistryError::NotFound(_) => {
                Self::new(K::NotFound, text).hint("look at the name and the tag; a private repository may hide itself")
            }
            RegistryError::Denied(_) => refused(
                "registry_denied",
                "sign in with docker login (or a tool that writes the same file) and name that file in [plugins] registry_auth",
            ),
            RegistryError::TooLarge { .. } => refused("too_large", "build it for release and strip it"),
            RegistryError::Digest { .. } => refused(
                "digest_mismatch",
                "the registry or the way to it changed the content: do not use it, and tell its publisher",
            ),
            RegistryError::Layout(_) => refused(
                "not_a_component",
                "publish the component with aistack plugin publish, or with wkg oci push",
            ),
            RegistryError::Taken(_) => {
                Self::new(K::AlreadyExists, text).hint("publish it under a new version; --force moves the tag")
            }
            RegistryError::Failed { .. } => {
                Self::new(K::UpstreamUnavailable, text).hint("look whether the registry is up and reachable from here")
            }
        }
    }
}
