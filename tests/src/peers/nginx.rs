//! nginx: an upstream nobody here wrote, with an access log that shows what reached it.

use super::process::{Command, Process, free_port};
use super::{PeerError, find_program};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// A running nginx that answers every request with 200 and a short text.
pub struct Nginx {
    process: Process,
    url: String,
}

impl Nginx {
    /// Starts it.
    ///
    /// # Errors
    /// When nginx is missing or does not start.
    pub async fn start() -> Result<Self, PeerError> {
        // Debian keeps it outside an ordinary user's PATH.
        let program: PathBuf = find_program("nginx", &["/usr/sbin/nginx"]).ok_or(PeerError::Missing {
            what: "nginx".into(),
            part: "nginx",
        })?;
        let port = free_port()?;
        let command = Command::new(program)?;
        let scratch = command.scratch().to_path_buf();
        let folder = scratch.display();
        let configuration = format!(
            r#"daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    log_format json escape=json '{{"method":"$request_method","uri":"$request_uri","status":$status,"tenant":"$http_x_aistack_tenant","user":"$http_x_aistack_user","authorization":"$http_authorization","cookie":"$http_cookie"}}';
    access_log {folder}/access.log json;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            default_type text/plain;
            return 200 "nginx was here\n";
        }}
    }}
}}
"#
        );
        let file = scratch.join("nginx.conf");
        std::fs::write(&file, configuration).map_err(anyhow::Error::from)?;
        let mut process = command
            .args(["-c", &file.display().to_string(), "-p", &scratch.display().to_string()])
            .spawn()?;
        process.ready_on_port(Duration::from_secs(30), port).await?;
        Ok(Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
        })
    }

    /// The base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What has been logged so far, a JSON object for each request.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn requests(&self) -> anyhow::Result<Vec<Value>> {
        let log = std::fs::read_to_string(self.process.scratch().join("access.log"))?;
        log.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}
