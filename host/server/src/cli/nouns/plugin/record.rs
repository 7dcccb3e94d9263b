//! `aistack plugin record` and `replay`: calls kept with all they were told, and made again on this machine.

use super::{Client, Enabled, Failure, Output, Remote, author, query, segment};
use aistack_devkit::{
    project::Project,
    replay::{self, Outcome},
    run::Runner,
};
use aistack_domain::plugins::port::Journal;
use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// Installations looked through at a time.
const MOST: usize = 50;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Keep all that the next calls of an enabled plugin are told, to replay them
    Record(Record),
    /// Make a recorded call again on this machine and compare, byte for byte
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Record {
    #[command(flatten)]
    enabled: Enabled,
    /// How many calls, 1 to 100
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    calls: u32,
    /// For how many minutes at most, 1 to 1440
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: u32,
    /// End the recording; what was recorded stays
    #[arg(long, conflicts_with_all = ["calls", "minutes"])]
    stop: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Replay {
    #[command(flatten)]
    remote: Remote,
    /// `call_…` of a recorded call
    #[arg(required_unless_present = "journal")]
    call: Option<String>,
    /// Its tenant; operators find a call without
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// `ins_…` of the enabled plugin; looked for when not given
    #[arg(long, value_name = "INSTALLATION", requires = "tenant")]
    installation: Option<String>,
    /// Take the journal from a file instead of a server
    #[arg(long, value_name = "FILE", conflicts_with_all = ["call", "tenant", "installation", "save"])]
    journal: Option<PathBuf>,
    /// Keep the journal in a file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Run this component instead of the recorded one
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    wasm: Option<PathBuf>,
    /// Run the plugin of the project in this folder instead of the recorded one; with --journal the project here when not given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::Record(c) => c.run(out).await,
            Self::Replay(c) => c.run(out).await,
        }
    }
}

impl Record {
    async fn run(&self, out: &Output) -> Result<(), Failure> {
        let client = self.enabled.client()?;
        let path = format!("{}/record", self.enabled.path());
        let id = &self.enabled.installation;
        if self.stop {
            client.send(Method::DELETE, &path, None).await?;
            return out.value(&json!({ "stopped": id }), |w| {
                writeln!(w, "{id} is not recorded any more")
            });
        }
        let asked = json!({ "calls": self.calls, "minutes": self.minutes });
        let started = client.post(&path, &asked).await?;
        out.value(&started, |w| {
            writeln!(
                w,
                "the next {} calls of {id} are recorded, until {}",
                started["calls"],
                started["until"].as_str().unwrap_or("-")
            )?;
            writeln!(
                w,
                "see them with: aistack plugin calls {id} --tenant {}",
                self.enabled.tenant
            )?;
            writeln!(w, "then: aistack plugin replay CALL --tenant {}", self.enabled.tenant)
        })
    }
}

/// A recorded call on a server.
struct Found {
    client: Client,
    path: String,
}

impl Replay {
    async fn run(&self, out: &Output) -> Result<(), Failure> {
        let (journal, found) = match (&self.journal, &self.call) {
            (Some(file), _) => (replay::read(file).map_err(author::refused)?, None),
            (None, Some(call)) => {
                let found = self.find(call).await?;
                let fetched = found.client.get(&format!("{}/journal", found.path)).await?;
                let text = serde_json::to_vec(&fetched)?;
                (replay::parse(&text, call).map_err(author::refused)?, Some(found))
            }
            (None, None) => return Err(Failure::Usage("name a call, or --journal FILE".to_owned())),
        };
        if let Some(file) = &self.save {
            replay::write(file, &journal).map_err(author::refused)?;
        }
        let component = self.component(found.as_ref()).await?;
        let runner = Runner::start(&component, author::options())
            .await
            .map_err(author::refused)?;
        let outcome = replay::run(&runner, journal.clone()).await.map_err(author::refused)?;
        let mut document = serde_json::to_value(&outcome)?;
        if let Some(call) = journal.context["call_id"].as_str() {
            document["call"] = call.into();
        }
        out.value(&document, |w| describe(w, &outcome, &journal))?;
        if outcome.equal {
            return Ok(());
        }
        let (seq, expected, got) = match &outcome.difference {
            Some(d) => (d.seq, &d.expected, &d.got),
            None => (0, &Value::Null, &Value::Null),
        };
        Err(Failure::Refused(json!({
            "code": "replay_diverged", "seq": seq, "expected": expected, "got": got,
            "detail": format!("the component left the journal at entry {seq} of {}", outcome.entries),
        })))
    }

    async fn component(&self, found: Option<&Found>) -> Result<Vec<u8>, Failure> {
        if let Some(file) = &self.wasm {
            return author::read(file);
        }
        match (&self.dir, found) {
            (None, Some(found)) => {
                let answer = found.client.download(&format!("{}/component", found.path)).await?;
                Ok(answer.bytes().await.context("the component did not arrive")?.to_vec())
            }
            (dir, _) => {
                let dir = dir.clone().unwrap_or_else(|| PathBuf::from("."));
                author::built(&Project::open(&dir).map_err(author::refused)?)
            }
        }
    }

    /// Where the call is. Members name their tenant; the installation is looked for among its own.
    async fn find(&self, call: &str) -> Result<Found, Failure> {
        let at = |client: Client, installation: &str| Found {
            path: format!(
                "/api/v1/installations/{}/calls/{}",
                segment(installation),
                segment(call)
            ),
            client,
        };
        let Some(tenant) = &self.tenant else {
            let client = Client::open(&self.remote)?;
            let path = format!("/api/v1/platform/plugin-calls/{}", segment(call));
            let detail = client.get(&path).await?;
            let (Some(tenant), Some(installation)) = (detail["tenant"].as_str(), detail["installation"].as_str())
            else {
                return Err(Failure::Failed(anyhow::anyhow!(
                    "the server does not say whose call {call} is"
                )));
            };
            return Ok(at(Client::in_tenant(&self.remote, tenant)?, installation));
        };
        if let Some(installation) = &self.installation {
            return Ok(at(Client::in_tenant(&self.remote, tenant)?, installation));
        }
        let client = Client::in_tenant(&self.remote, tenant)?;
        let mut cursor = None;
        loop {
            let parameters = query(&[("limit", Some(MOST.to_string())), ("cursor", cursor)]);
            let page = client.get(&format!("/api/v1/installations{parameters}")).await?;
            for installation in page["items"].as_array().into_iter().flatten() {
                let found = at(client.clone(), installation["id"].as_str().unwrap_or_default());
                match found.client.get(&found.path).await {
                    Ok(_) => return Ok(found),
                    Err(Failure::Refused(problem)) if problem["status"] == 404 => {}
                    Err(e) => return Err(e),
                }
            }
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => {
                    return Err(Failure::Refused(json!({
                        "status": 404, "code": "not_found", "detail": format!("no plugin of {tenant} made the call {call}"),
                        "hint": "look it up with: aistack plugin calls INSTALLATION --tenant SLUG",
                    })));
                }
            }
        }
    }
}

fn describe(w: &mut dyn Write, o: &Outcome, journal: &Journal) -> io::Result<()> {
    writeln!(
        w,
        "{} of {}: {} of {} imports answered from the journal",
        o.operation, o.plugin, o.answered, o.entries
    )?;
    if o.digest != o.recorded_digest {
        let short = |digest: &str| digest.chars().take(12).collect::<String>();
        writeln!(
            w,
            "component {} in place of the recorded {}",
            short(&o.digest),
            short(&o.recorded_digest)
        )?;
    }
    for line in o.receipt["log"].as_array().into_iter().flatten() {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        writeln!(w, "log {}: {}", text("level"), text("message"))?;
    }
    author::write_frames(w, "", &o.receipt["frames"])?;
    match &o.difference {
        None => writeln!(w, "equal, byte for byte: {}", o.got)?,
        Some(d) => {
            writeln!(w, "differs at entry {}", d.seq)?;
            writeln!(w, "  expected {}", brief(&d.expected))?;
            writeln!(w, "  got      {}", brief(&d.got))?;
            if o.tainted {
                writeln!(
                    w,
                    "  the plugin saw a secret when it was recorded; what it makes of the stand-in in the journal differs"
                )?;
            }
        }
    }
    if journal.cut {
        writeln!(w, "the journal ends before the call did: its budget was used up")?;
    }
    Ok(())
}

/// `kv.get {"key":"a"}`, or what stands there instead.
fn brief(value: &Value) -> String {
    match (value["import"].as_str(), &value["args"], &value["end"]) {
        (Some(import), args, _) => format!("{import} {args}"),
        (None, _, end) if !end.is_null() => format!("the end of the call: {end}"),
        _ => value.to_string(),
    }
}
