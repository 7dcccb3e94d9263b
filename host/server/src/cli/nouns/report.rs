//! `aistack report`.

use super::{Client, Failure, Output, Remote, client::Paging, plugin::json_argument, tenant::segment};
use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List the reports that can be made in a tenant
    #[command(visible_alias = "ls")]
    List(InTenant),
    /// Make a report, wait for it, and save its file
    Run(Run),
    /// List runs, newest first
    Runs(Runs),
    /// Save the file of a run
    Download(Download),
    /// Cancel a run
    Cancel(Named),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InTenant {
    #[command(flatten)]
    remote: Remote,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    tenant: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    #[command(flatten)]
    place: InTenant,
    /// `ins_…` of the report plugin; may be left out when only one offers the report
    #[arg(long, value_name = "ID")]
    installation: Option<String>,
    /// Report name
    report: String,
    /// Format
    #[arg(long, default_value = "csv")]
    format: String,
    /// Parameters as JSON, or @FILE
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    /// Do not wait for the end
    #[arg(long, conflicts_with = "output")]
    no_wait: bool,
    /// Where to save the file; a folder keeps the report's own name
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Runs {
    #[command(flatten)]
    place: InTenant,
    /// Only with this status
    #[arg(long)]
    status: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    #[command(flatten)]
    place: InTenant,
    /// `run_…`
    run: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Download {
    #[command(flatten)]
    named: Named,
    /// Where to save it; the current folder when not given, `-` for standard output
    #[arg(long, short, value_name = "PATH", default_value = ".")]
    output: PathBuf,
}

const OFFERED: &[(&str, &str)] = &[
    ("REPORT", "/report"),
    ("NAME", "/name/en"),
    ("FORMATS", "/formats"),
    ("PLUGIN", "/plugin_id"),
    ("INSTALLATION", "/installation"),
];
const RUNS: &[(&str, &str)] = &[
    ("CREATED", "/created_at"),
    ("REPORT", "/report"),
    ("FORMAT", "/format"),
    ("STATUS", "/status"),
    ("%", "/progress"),
    ("BYTES", "/file/bytes"),
    ("ID", "/id"),
];

/// How often a run is looked at while waiting.
const POLL: Duration = Duration::from_millis(300);

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List(c) => out.table(&c.client()?.get("/api/v1/reports").await?, OFFERED),
            Self::Run(c) => c.run(out).await,
            Self::Runs(c) => {
                let parameters = c.paging.query(&[("status", c.status.clone())]);
                let list = c
                    .place
                    .client()?
                    .get(&format!("/api/v1/report-runs{parameters}"))
                    .await?;
                out.table(&list, RUNS)
            }
            Self::Download(c) => {
                let client = c.named.place.client()?;
                let run = client.get(&c.named.path()).await?;
                let saved = save(&client, &run, &c.output).await?;
                match saved {
                    Some(path) => out.value(&json!({ "saved": path }), |w| writeln!(w, "{}", path.display())),
                    None => Ok(()),
                }
            }
            Self::Cancel(c) => {
                let path = format!("{}/cancel", c.path());
                out.object(&c.place.client()?.send(reqwest::Method::POST, &path, None).await?)
            }
        }
    }
}

impl InTenant {
    fn client(&self) -> Result<Client, Failure> {
        Client::in_tenant(&self.remote, &self.tenant)
    }
}

impl Named {
    fn path(&self) -> String {
        format!("/api/v1/report-runs/{}", segment(&self.run))
    }
}

impl Run {
    async fn run(&self, out: &Output) -> Result<(), Failure> {
        let client = self.place.client()?;
        let installation = match &self.installation {
            Some(id) => id.clone(),
            None => self.only_offer(&client).await?,
        };
        let params = match &self.params {
            Some(text) => json_argument(text, "--params")?,
            None => json!({}),
        };
        let wanted = json!({
            "installation": installation, "report": self.report, "format": self.format, "params": params,
        });
        let run = client.post("/api/v1/report-runs", &wanted).await?;
        if self.no_wait {
            return out.object(&run);
        }
        let ended = wait(&client, run, out.json).await?;
        if ended["status"] != "succeeded" {
            let why = ended["error"]["detail"].as_str().unwrap_or("it gave no reason");
            let status = ended["status"].as_str().unwrap_or_default();
            return Err(Failure::Failed(anyhow::anyhow!("the report {status}: {why}")));
        }
        let saved = save(&client, &ended, self.output.as_deref().unwrap_or(Path::new("."))).await?;
        let mut said = ended;
        said["saved"] = json!(saved);
        out.value(&said, |w| match &saved {
            Some(path) => writeln!(w, "{}", path.display()),
            None => Ok(()),
        })
    }

    /// The one installation that offers the report.
    async fn only_offer(&self, client: &Client) -> Result<String, Failure> {
        let all = client.get("/api/v1/reports").await?;
        let offers: Vec<&str> = all["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|o| o["report"] == self.report.as_str())
            .filter_map(|o| o["installation"].as_str())
            .collect();
        match offers.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => Err(Failure::Usage(format!(
                "nothing in this tenant makes a report {:?}",
                self.report
            ))),
            _ => Err(Failure::Usage(
                "several plugins make this report: choose one with --installation".to_owned(),
            )),
        }
    }
}

/// Waits for the end of a run, showing its progress on a terminal.
async fn wait(client: &Client, mut run: Value, quiet: bool) -> Result<Value, Failure> {
    let path = format!(
        "/api/v1/report-runs/{}",
        segment(run["id"].as_str().unwrap_or_default())
    );
    let bar = if quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(100)
    };
    if let Ok(style) = ProgressStyle::with_template("{msg:10} [{bar:30}] {pos:>3} % {elapsed}") {
        bar.set_style(style);
    }
    while matches!(run["status"].as_str(), Some("queued" | "running")) {
        bar.set_message(run["status"].as_str().unwrap_or_default().to_owned());
        bar.set_position(run["progress"].as_u64().unwrap_or(0));
        tokio::time::sleep(POLL).await;
        run = client.get(&path).await?;
    }
    bar.finish_and_clear();
    Ok(run)
}

/// Saves a run's file; `None` when it went to standard output. A file that is there already is never overwritten.
async fn save(client: &Client, run: &Value, to: &Path) -> Result<Option<PathBuf>, Failure> {
    let id = run["id"].as_str().unwrap_or_default();
    let mut answer = client
        .download(&format!("/api/v1/report-runs/{}/file", segment(id)))
        .await?;
    if to == Path::new("-") {
        while let Some(part) = answer.chunk().await? {
            std::io::stdout().write_all(&part)?;
        }
        return Ok(None);
    }
    // The name comes from a plugin: only its last part counts, whatever it says.
    let name = run["file"]["name"]
        .as_str()
        .and_then(|n| Path::new(n).file_name())
        .unwrap_or("report".as_ref());
    let path = if to.is_dir() { to.join(name) } else { to.to_owned() };
    let mut file = std::fs::File::create_new(&path).with_context(|| format!("can't save {}", path.display()))?;
    while let Some(part) = answer.chunk().await? {
        file.write_all(&part)?;
    }
    file.sync_all()?;
    Ok(Some(path))
}
