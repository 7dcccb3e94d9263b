//! `aistack plugin`: why a call failed, the log as it is written, who uses most.

use super::{Client, Enabled, Failure, Output, Remote, author, query, segment};
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::Write;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Say why a call ended as it did, and what to do
    Why(Why),
    /// Show the log lines of an enabled plugin's last calls; with -f go on as they are written
    Logs(Logs),
    /// Show who uses most of the plugin runtime on the node that answers (operators)
    Top(Top),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Why {
    #[command(flatten)]
    remote: Remote,
    /// `call_…`
    call: String,
    /// The tenant, with --installation; operators find a call without both
    #[arg(long, value_name = "SLUG", requires = "installation")]
    tenant: Option<String>,
    /// `ins_…` of the enabled plugin
    #[arg(long, value_name = "INSTALLATION", requires = "tenant")]
    installation: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Logs {
    #[command(flatten)]
    enabled: Enabled,
    /// Go on showing lines as they are written
    #[arg(long, short)]
    follow: bool,
    /// Least level: trace, debug, info, warn or error
    #[arg(long, value_name = "LEVEL", default_value = "trace",
        value_parser = ["trace", "debug", "info", "warn", "error"])]
    level: String,
    /// Without -f: of so many calls, up to 200
    #[arg(long, default_value_t = 20)]
    limit: u8,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Top {
    #[command(flatten)]
    remote: Remote,
    /// What counts
    #[arg(long, default_value = "calls", value_parser = ["calls", "errors", "cpu", "memory", "bytes"])]
    by: String,
    /// How far back: 1m to 60m
    #[arg(long, default_value = "5m")]
    window: String,
    /// At most so many, up to 200
    #[arg(long, default_value_t = 20)]
    limit: u8,
}

const TOP: &[(&str, &str)] = &[
    ("TENANT", "/tenant"),
    ("PLUGIN", "/plugin"),
    ("CALLS", "/calls"),
    ("ERRORS", "/errors"),
    ("CPU µS", "/cpu_us"),
    ("MEMORY", "/memory"),
    ("BYTES", "/bytes"),
];

const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::Why(c) => c.run(out).await,
            Self::Logs(c) if c.follow => c.follow(out).await,
            Self::Logs(c) => c.last(out).await,
            Self::Top(c) => {
                let parameters = query(&[
                    ("by", Some(c.by.clone())),
                    ("window", Some(c.window.clone())),
                    ("limit", Some(c.limit.to_string())),
                ]);
                let path = format!("/api/v1/platform/plugins/top{parameters}");
                out.table(&Client::open(&c.remote)?.get(&path).await?, TOP)
            }
        }
    }
}

impl Why {
    async fn run(&self, out: &Output) -> Result<(), Failure> {
        let call = segment(&self.call);
        let detail = match (&self.tenant, &self.installation) {
            (Some(tenant), Some(installation)) => {
                let path = format!("/api/v1/installations/{}/calls/{call}", segment(installation));
                Client::in_tenant(&self.remote, tenant)?.get(&path).await?
            }
            _ => {
                let path = format!("/api/v1/platform/plugin-calls/{call}");
                Client::open(&self.remote)?.get(&path).await?
            }
        };
        out.value(&detail, |w| write_why(w, &detail))
    }
}

fn write_why(w: &mut dyn Write, d: &Value) -> std::io::Result<()> {
    let text = |pointer: &str| match d.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(s)) => s.clone(),
        Some(v) => v.to_string(),
    };
    writeln!(
        w,
        "{} {} of {} in {}",
        text("/id"),
        text("/operation"),
        text("/plugin"),
        text("/tenant")
    )?;
    writeln!(w, "  outcome  {} ({})", text("/outcome"), text("/why/cause"))?;
    writeln!(w, "  why      {}", text("/why/summary/en"))?;
    writeln!(w, "  where    {}", text("/why/where"))?;
    writeln!(w, "  hint     {}", text("/why/hint/en"))?;
    writeln!(
        w,
        "  cost     {} µs, {} µs in the plugin, {} bytes of memory, {} host calls, {} bytes out, {} in",
        text("/wall_us"),
        text("/guest_us"),
        text("/memory"),
        text("/host_calls"),
        text("/bytes_out"),
        text("/bytes_in")
    )?;
    author::write_frames(w, "  crashed  ", &d["frames"])?;
    for line in d["log"].as_array().into_iter().flatten() {
        write_line(w, "  log     ", line)?;
    }
    Ok(())
}

fn write_line(w: &mut dyn Write, before: &str, line: &Value) -> std::io::Result<()> {
    let part = |key: &str| line[key].as_str().unwrap_or_default();
    write!(w, "{before} {:<5} {}", part("level"), part("message"))?;
    for field in line["fields"].as_array().into_iter().flatten() {
        write!(
            w,
            " {}={}",
            field[0].as_str().unwrap_or_default(),
            field[1].as_str().unwrap_or_default()
        )?;
    }
    writeln!(w)
}

impl Logs {
    async fn last(&self, out: &Output) -> Result<(), Failure> {
        let path = format!(
            "{}/calls{}",
            self.enabled.path(),
            query(&[("limit", Some(self.limit.to_string()))])
        );
        let calls = self.enabled.client()?.get(&path).await?;
        let least = LEVELS.iter().position(|l| *l == self.level).unwrap_or(0);
        let mut lines = Vec::new();
        // Oldest first, as a log reads.
        for call in calls["items"].as_array().into_iter().flatten().rev() {
            for line in call["log"].as_array().into_iter().flatten() {
                if LEVELS.iter().position(|l| line["level"] == *l).unwrap_or(LEVELS.len()) >= least {
                    let mut line = line.clone();
                    line["call"] = call["id"].clone();
                    line["at"] = call["started_at"].clone();
                    lines.push(line);
                }
            }
        }
        out.value(&json!({ "items": lines }), |w| {
            for line in &lines {
                write_line(w, line["at"].as_str().unwrap_or_default(), line)?;
            }
            Ok(())
        })
    }

    /// Until the server ends the stream; with `--json` one document per line.
    async fn follow(&self, out: &Output) -> Result<(), Failure> {
        let path = format!(
            "{}/logs{}",
            self.enabled.path(),
            query(&[("level", Some(self.level.clone()))])
        );
        let mut stream = self.enabled.client()?.download(&path).await?;
        let mut buffer = String::new();
        while let Some(chunk) = stream.chunk().await.context("the stream broke")? {
            buffer.push_str(&String::from_utf8_lossy(&chunk));
            while let Some(end) = buffer.find("\n\n") {
                let event: String = buffer.drain(..end + 2).collect();
                let field = |name: &str| event.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
                let (Some(kind), Some(data)) = (field("event:"), field("data:")) else {
                    continue;
                };
                let data: Value = serde_json::from_str(data).unwrap_or_default();
                match kind {
                    "log" => out.value(&data, |w| {
                        write_line(w, data["call"].as_str().unwrap_or_default(), &data)
                    })?,
                    "dropped" => out.value(&data, |w| writeln!(w, "({} lines were lost on the way)", data["lines"]))?,
                    _ => {}
                }
            }
        }
        Ok(())
    }
}
