//! `aistack plugin sim`: stand-ins for payment and identity providers on this machine, for plugin authors. No server is
//! needed; a simulator runs until it is stopped.

use super::{Failure, Output};
use crate::serve::asked_to_stop;
use aistack_adapters::{SystemClock, SystemRng};
use aistack_simulators::{Faults, KnobKind, Options, Running, Simulator, Text};
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List the providers there are stand-ins for
    #[command(visible_alias = "ls")]
    List,
    /// Run one until Ctrl-C; says its addresses, and configuration and secrets to paste into the plugin
    Up(Up),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Up {
    /// Which: oidc, stripe, …; `sim list` shows them
    name: String,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A knob to arm from the start: NAME, or NAME=VALUE; may be repeated
    #[arg(long = "fault", value_name = "NAME[=VALUE]", value_parser = fault)]
    faults: Vec<(String, Value)>,
    /// With --fault: for so many operations, then everything is as it should be again
    #[arg(long, value_name = "COUNT", requires = "faults")]
    next: Option<u64>,
    /// Where webhooks go: the inbound endpoint of the installation
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Keys and secrets come from it: the same seed, the same configuration
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const SIMULATORS: &[(&str, &str)] = &[("NAME", "/name"), ("PROVIDER", "/en"), ("", "/zh")];

/// `NAME`, which is `NAME=true`, or `NAME=VALUE`: a truth value, a number, or a word.
fn fault(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, "true"));
    if name.is_empty() || value.is_empty() {
        return Err("write it as NAME or NAME=VALUE".to_owned());
    }
    let value = match value.parse::<u64>() {
        Ok(number) => json!(number),
        Err(_) if matches!(value, "true" | "false") => json!(value == "true"),
        Err(_) => json!(value),
    };
    Ok((name.to_owned(), value))
}

impl Command {
    pub(in crate::cli) async fn run(&self, out: &Output) -> Result<(), Failure> {
        match self {
            Self::List => {
                let item = |s: &Simulator| json!({ "name": s.name, "en": s.title.en, "zh": s.title.zh });
                let items: Vec<_> = aistack_simulators::all().iter().map(item).collect();
                out.table(&json!({ "items": items, "next": null }), SIMULATORS)
            }
            Self::Up(up) => up.run(out).await,
        }
    }
}

impl Up {
    async fn run(&self, out: &Output) -> Result<(), Failure> {
        let Some(simulator) = aistack_simulators::find(&self.name) else {
            let known: Vec<_> = aistack_simulators::all().iter().map(|s| s.name).collect();
            return Err(Failure::Usage(format!(
                "there is no simulator {:?}; there are {}",
                self.name,
                known.join(", ")
            )));
        };
        if self.webhook.as_ref().is_some_and(|url| !url.starts_with("http://")) {
            return Err(Failure::Usage(
                "--webhook has to be an http:// address: simulators deliver on this machine only".to_owned(),
            ));
        }
        let options = Options {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port),
            clock: Arc::new(SystemClock::new()),
            rng: Arc::new(SystemRng),
            seed: self.seed,
            webhook: self.webhook.clone(),
        };
        let running = simulator.start(options).await.map_err(anyhow::Error::from)?;
        self.arm(&running).await?;
        let told = describe(simulator, &running, self);
        out.value(&told, |w| write(w, simulator, &running, &told))?;
        asked_to_stop().await?;
        running.stop().await;
        Ok(())
    }

    /// Arms the knobs through the simulator's own control, which knows what each takes.
    async fn arm(&self, running: &Running) -> Result<(), Failure> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let mut wanted: Map<String, Value> = self.faults.iter().cloned().collect();
        if let Some(next) = self.next {
            wanted.insert("next".to_owned(), json!(next));
        }
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("{}/_sim/faults", running.control_url);
        let answer = http
            .post(&url)
            .json(&wanted)
            .send()
            .await
            .context("the simulator's control")?;
        if answer.status().is_success() {
            return Ok(());
        }
        let refusal: Value = answer.json().await.context("the simulator's control")?;
        let part = |name: &str| refusal[name].as_str().unwrap_or_default().to_owned();
        Err(Failure::Usage(format!("--fault: {}; {}", part("detail"), part("hint"))))
    }
}

/// Everything there is to know about a running simulator.
fn describe(simulator: &Simulator, running: &Running, up: &Up) -> Value {
    json!({
        "name": simulator.name,
        "title": both(&simulator.title),
        "url": running.base_url,
        "control_url": running.control_url,
        "config": running.config,
        "secrets": running.secrets,
        "webhook": up.webhook,
        "seed": up.seed,
        "faults": running.faults.armed(),
        "knobs": knobs(&running.faults),
        "notes": running.notes.iter().map(both).collect::<Vec<_>>(),
        "pid": std::process::id(),
    })
}

fn both(text: &Text) -> Value {
    json!({ "en": text.en, "zh": text.zh })
}

fn knobs(faults: &Faults) -> Value {
    let knob = |k: &aistack_simulators::Knob| json!({ "name": k.name, "takes": takes(k.kind), "en": k.text.en, "zh": k.text.zh });
    faults.known().iter().map(knob).collect()
}

fn takes(kind: KnobKind) -> String {
    match kind {
        KnobKind::Flag => "true, false".to_owned(),
        KnobKind::Number(most) => format!("0 to {most}"),
        KnobKind::Rotation => "true, abrupt".to_owned(),
    }
}

/// The same for people: what to paste stands on lines of its own.
fn write(w: &mut dyn Write, simulator: &Simulator, running: &Running, told: &Value) -> io::Result<()> {
    writeln!(
        w,
        "{} is ready. {} {}",
        simulator.name, simulator.title.en, simulator.title.zh
    )?;
    writeln!(w, "  provider  {}", running.base_url)?;
    writeln!(
        w,
        "  control   {}/  (a page that explains everything)",
        running.control_url
    )?;
    writeln!(
        w,
        "  webhooks  {}",
        told["webhook"]
            .as_str()
            .unwrap_or("nowhere yet: --webhook URL, or POST /_sim/webhook")
    )?;
    writeln!(w, "\nconfig to paste into the plugin:\n{}", running.config)?;
    writeln!(w, "\nsecrets:")?;
    for (name, value) in running.secrets.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if value.contains('\n') {
            writeln!(w, "{name}:\n{}", value.trim_end())?;
        } else {
            writeln!(w, "{name}: {value}")?;
        }
    }
    writeln!(
        w,
        "\nknobs (curl {}/_sim/faults -d '{{\"NAME\": VALUE, \"next\": 1}}'):",
        running.control_url
    )?;
    let known = running.faults.known();
    let width = known.iter().map(|k| k.name.len()).max().unwrap_or(0);
    let armed = running.faults.armed();
    for knob in known {
        let on = if armed.get(knob.name).is_some() { "*" } else { " " };
        writeln!(
            w,
            "{on} {:<width$}  {:<12}  {}",
            knob.name,
            takes(knob.kind),
            knob.text.en
        )?;
    }
    for note in &running.notes {
        writeln!(w, "\n{}\n{}", note.en, note.zh)?;
    }
    writeln!(w, "\nRuns until Ctrl-C.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_a_name_and_perhaps_a_value() {
        assert_eq!(fault("duplicate").unwrap(), ("duplicate".to_owned(), json!(true)));
        assert_eq!(fault("status=503").unwrap(), ("status".to_owned(), json!(503)));
        assert_eq!(fault("stale=false").unwrap(), ("stale".to_owned(), json!(false)));
        assert_eq!(
            fault("rotate_certificate=abrupt").unwrap(),
            ("rotate_certificate".to_owned(), json!("abrupt"))
        );
        assert!(fault("=1").is_err() && fault("x=").is_err());
    }
}
