//! `aistack plugin publish`, and components pulled on this machine: OCI registries, with the credentials of whoever sits
//! here.

use super::{Failure, Output};
use aistack_adapters::{
    OciRegistries, SystemClock,
    oci::{Credentials, Reference},
};
use aistack_core::Clock;
use aistack_domain::{
    Problem,
    plugins::catalogue::MAX_COMPONENT,
    port::{Registry, RegistryError},
};
use anyhow::Context;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Who we are at registries.
#[derive(Debug, Args)]
pub(super) struct RegistryAuth {
    /// Credentials for registries, as `docker login` writes them; config.json in $DOCKER_CONFIG or ~/.docker when not given
    #[arg(long, value_name = "FILE")]
    registry_auth: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Publish {
    /// The component
    file: PathBuf,
    /// Where to: oci://HOST/NAME:TAG
    reference: String,
    /// Move the tag when it names something else already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    credentials: RegistryAuth,
}

/// Whether an argument is a reference into a registry rather than a file.
pub(super) fn is_reference(text: &str) -> bool {
    text.starts_with("oci://")
}

/// A registry's refusal reads here as it reads from the server: what, where, and what to do.
fn refused(e: RegistryError) -> Failure {
    if let RegistryError::Reference(why) = e {
        return Failure::Usage(why);
    }
    let p = Problem::from(e);
    let mut document =
        json!({ "title": p.kind.title(), "detail": p.detail, "code": p.kind.as_str(), "errors": p.errors });
    for (key, value) in p.extras {
        document[key] = value;
    }
    Failure::Refused(document)
}

impl RegistryAuth {
    fn registries(&self) -> Result<OciRegistries, Failure> {
        let credentials = match &self.registry_auth {
            Some(file) => Credentials::read(file).with_context(|| format!("--registry-auth {}", file.display()))?,
            None => match usual_file().filter(|file| file.exists()) {
                Some(file) => Credentials::read(&file).with_context(|| file.display().to_string())?,
                None => Credentials::default(),
            },
        };
        OciRegistries::any(credentials).map_err(refused)
    }

    /// Pulls a component.
    pub(super) async fn pull(&self, reference: &str) -> Result<Vec<u8>, Failure> {
        let pulled = self.registries()?.pull(reference, MAX_COMPONENT as u64).await;
        Ok(pulled.map_err(refused)?.component)
    }
}

/// Where `docker login` keeps what it was told.
fn usual_file() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")))?;
    Some(folder.join("config.json"))
}

impl Publish {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        let reference: Reference = self.reference.parse().map_err(refused)?;
        let component = std::fs::read(&self.file).with_context(|| format!("can't read {}", self.file.display()))?;
        let registries = self.credentials.registries()?;
        let now = SystemClock::new().now();
        let done = registries
            .publish(&reference, &component, now, self.force)
            .await
            .map_err(refused)?;
        let reference = done.reference.to_string();
        out.value(
            &json!({ "reference": reference, "component": done.component, "size": component.len(), "was_there": done.was_there }),
            |w| {
                writeln!(w, "{} {reference}", if done.was_there { "was there already:" } else { "published" })?;
                writeln!(w, "component {}", done.component)?;
                writeln!(w, "install it with: aistack plugin install {reference}")
            },
        )
    }
}
