//! `aistack plugin install` and `quarantine`: versions on the platform, into it and out of service.

use super::{
    Client, Failure, INSTALLED, Output, Remote, query,
    registry::{self, is_reference},
    segment,
};
use anyhow::Context;
use clap::Args;
use reqwest::Method;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(in crate::cli) struct Install {
    #[command(flatten)]
    remote: Remote,
    /// Component files, with detached signatures from FILE.sig; or oci://HOST/NAME:TAG[@sha256:…]
    #[arg(required = true, value_name = "FILE|REFERENCE")]
    files: Vec<String>,
    /// Let the server pull a reference, instead of pulling it here and uploading it
    #[arg(long)]
    server: bool,
    #[command(flatten)]
    credentials: registry::RegistryAuth,
    /// The digest the component has to have: sha256:HEX; for one file
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// Detached signatures, instead of FILE.sig; for one file
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Take a version older than the highest signed one
    #[arg(long)]
    allow_downgrade: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Quarantine {
    #[command(flatten)]
    remote: Remote,
    /// `plv_…` of an installed version
    id: String,
    /// Why; tenants see it
    #[arg(long, required_unless_present = "lift")]
    reason: Option<String>,
    /// Put it back into service
    #[arg(long, conflicts_with = "reason")]
    lift: bool,
}

impl Install {
    /// One after the other; the first refusal ends it, what was installed before stays.
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        if self.files.len() > 1 && (self.digest.is_some() || self.signature.is_some()) {
            return Err(Failure::Usage("--digest and --signature are about one file".to_owned()));
        }
        let client = Client::open(&self.remote)?;
        let path = format!(
            "/api/v1/plugins{}",
            query(&[
                ("digest", self.digest.clone()),
                ("allow_downgrade", self.allow_downgrade.then(|| "true".to_owned())),
            ])
        );
        if self.server && self.files.iter().any(|f| !is_reference(f)) {
            return Err(Failure::Usage(
                "--server is about references: oci://HOST/NAME:TAG".to_owned(),
            ));
        }
        let mut items = Vec::new();
        for file in &self.files {
            let (bytes, signatures) = if self.server {
                let body = json!({ "reference": file, "digest": self.digest, "allow_downgrade": self.allow_downgrade });
                items.push(client.post("/api/v1/plugins/pull", &body).await?);
                continue;
            } else if is_reference(file) {
                (self.credentials.pull(file).await?, self.signatures(None)?)
            } else {
                let bytes = std::fs::read(file).with_context(|| format!("can't read {file}"))?;
                (bytes, self.signatures(Some(Path::new(file)))?)
            };
            let header = signatures.as_deref().map(|s| ("x-aistack-signature", s));
            items.push(client.upload(&path, "application/wasm", bytes, header).await?);
        }
        out.table(&json!({ "items": items, "next": null }), INSTALLED)
    }

    /// Detached signatures on one line, as a header takes them.
    fn signatures(&self, file: Option<&Path>) -> Result<Option<String>, Failure> {
        let beside = match (&self.signature, file) {
            (Some(file), _) => file.clone(),
            (None, None) => return Ok(None),
            (None, Some(file)) => {
                let mut beside = file.as_os_str().to_owned();
                beside.push(".sig");
                let beside = PathBuf::from(beside);
                if !beside.exists() {
                    return Ok(None);
                }
                beside
            }
        };
        let text = std::fs::read_to_string(&beside).with_context(|| format!("can't read {}", beside.display()))?;
        Ok(Some(text.split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

impl Quarantine {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        let client = Client::open(&self.remote)?;
        let id = segment(&self.id);
        let after = if self.lift {
            client
                .send(Method::POST, &format!("/api/v1/plugins/{id}/release-quarantine"), None)
                .await?
        } else {
            let body = json!({ "reason": self.reason });
            client.post(&format!("/api/v1/plugins/{id}/quarantine"), &body).await?
        };
        out.object(&after)
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Sources {
    #[command(flatten)]
    remote: Remote,
}

const SOURCES: &[(&str, &str)] = &[
    ("FROM", "/kind"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("WHY", "/refusal/detail"),
    ("WHAT TO DO", "/refusal/hint"),
    ("AT", "/at"),
];

impl Sources {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        out.table(
            &Client::open(&self.remote)?.get("/api/v1/plugins/sources").await?,
            SOURCES,
        )
    }
}
