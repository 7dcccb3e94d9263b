//! The distribution project's own registry, which the most of the world's registries are: docker-registry of Debian.

use super::process::{Command, Process, free_port};
use super::{PeerError, cache_dir, find_program};
use std::time::Duration;

/// User and password of a registry that demands them.
pub const REGISTRY_LOGIN: (&str, &str) = ("publisher", "the registry password");
/// The same as a line of an htpasswd file.
const HTPASSWD: &str = "publisher:$2b$04$fdiNPEDh.GsL9qATAVuVUOeB5VDBYCvEpCCZlEikSOxtKVFT7BShW\n";

/// A running registry, empty at first.
pub struct DockerRegistry {
    _process: Process,
    host: String,
}

impl DockerRegistry {
    /// Starts one that anybody may read and write, or with `closed` one that demands [`REGISTRY_LOGIN`].
    ///
    /// # Errors
    /// When it is missing or does not start.
    pub async fn start(closed: bool) -> Result<Self, PeerError> {
        let fetched = cache_dir().join("bin/docker-registry");
        let program = find_program("docker-registry", &[&fetched.display().to_string()]).ok_or(PeerError::Missing {
            what: "docker-registry".into(),
            part: "registry",
        })?;
        let port = free_port()?;
        let command = Command::new(program)?;
        let scratch = command.scratch().to_path_buf();
        let folder = scratch.display();
        let auth = if closed {
            format!("auth:\n  htpasswd:\n    realm: tests\n    path: {folder}/htpasswd\n")
        } else {
            String::new()
        };
        let configuration = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {folder}/content\nhttp:\n  addr: \
             127.0.0.1:{port}\n{auth}"
        );
        std::fs::write(scratch.join("config.yml"), configuration).map_err(anyhow::Error::from)?;
        std::fs::write(scratch.join("htpasswd"), HTPASSWD).map_err(anyhow::Error::from)?;
        let file = scratch.join("config.yml").display().to_string();
        let mut process = command.args(["serve", &file]).spawn()?;
        process.ready_on_port(Duration::from_secs(30), port).await?;
        Ok(Self {
            _process: process,
            host: format!("127.0.0.1:{port}"),
        })
    }

    /// Host and port, as references name them.
    pub fn host(&self) -> &str {
        &self.host
    }
}
