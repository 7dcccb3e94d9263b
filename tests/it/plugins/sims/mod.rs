//! The official plugins against the simulators that plugin authors use, through the real server: members sign in and
//! payments are made, whatever goes wrong on the way. The simulators are started as authors start them, by the command
//! line, and the plugins are configured with what it prints.

mod payments;
mod sign_ins;

use super::Stage;
use aistack_tests::{
    actor::Answer,
    host::{Store, plugin},
    need,
    peers::{PeerError, Simulator},
};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::time::Duration;

const AMOUNT: u64 = 4_900;

/// A stage with a plugin enabled for the simulator of its provider.
struct Bench {
    stage: Stage,
    sim: Simulator,
    installation: Value,
}

impl Bench {
    async fn set(component: &str, simulator: &str) -> Result<Self, PeerError> {
        let stage = Stage::set(Store::Sqlite).await;
        let sim = Simulator::start(simulator, &[]).await?;
        let version = stage.operator.install_plugin(plugin(component)?).await?.ok(201)?;
        let body = json!({"plugin_id": version["plugin_id"], "name": "Simulated", "config": sim.config(), "secrets": sim.secrets()});
        let installation = stage.owner.post("/api/v1/installations", body).await?.ok(201)?;
        if let Some(url) = installation["endpoints"][0]["url"].as_str() {
            sim.control("webhook", &json!({"url": url})).await?;
        }
        Ok(Self {
            stage,
            sim,
            installation,
        })
    }

    fn id(&self) -> &str {
        self.installation["id"].as_str().unwrap_or_default()
    }

    async fn order(&self, name: &str) -> anyhow::Result<String> {
        let body = json!({"amount": {"minor": AMOUNT, "currency": "USD"}, "description": name, "installation": self.id(),
            "idempotency_key": name.replace(' ', "-")});
        let order = self.stage.owner.post("/api/v1/orders", body).await?.ok(201)?;
        Ok(order["id"].as_str().context("an id")?.to_owned())
    }

    async fn pay(&self, order: &str) -> anyhow::Result<Answer> {
        self.stage
            .owner
            .post(&format!("/api/v1/orders/{order}/pay"), json!({}))
            .await
    }

    async fn look(&self, order: &str) -> anyhow::Result<Value> {
        self.stage.owner.get(&format!("/api/v1/orders/{order}")).await?.ok(200)
    }

    async fn until(&self, order: &str, status: &str) -> anyhow::Result<Value> {
        for _ in 0..600 {
            let now = self.look(order).await?;
            if now["status"] == status {
                return Ok(now);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("not {status} after half a minute: {}", self.look(order).await?)
    }

    /// How often the audit log tells of `action` on `target`.
    async fn told(&self, action: &str, target: &str) -> anyhow::Result<usize> {
        let events = self.stage.owner.all("/api/v1/audit-events").await?;
        let about = |e: &&Value| e["action"] == action && (target.is_empty() || e.to_string().contains(target));
        Ok(events.iter().filter(about).count())
    }

    /// The simulator's objects of a kind.
    async fn objects(&self, kind: &str) -> anyhow::Result<Vec<Value>> {
        let state = self.sim.look("state").await?;
        let all = state["objects"].as_array().context("objects")?;
        Ok(all.iter().filter(|o| o["object"] == kind).cloned().collect())
    }

    /// The simulator's latest event of a kind.
    async fn event(&self, kind: &str) -> anyhow::Result<Value> {
        let state = self.sim.look("state").await?;
        let found = state["events"]
            .as_array()
            .into_iter()
            .flatten()
            .rfind(|e| e["type"] == kind);
        found.cloned().with_context(|| format!("no {kind} in {state}"))
    }
}

#[tokio::test]
async fn the_command_line_names_simulators_and_refuses_unknown_ones() {
    let run = |args: &[&str]| {
        let program = aistack_tests::host::binary("aistack").unwrap();
        std::process::Command::new(program).args(args).output().unwrap()
    };
    let list = run(&["--json", "plugin", "sim", "list"]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let names: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|i| i["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "saml",
            "oidc",
            "ldap",
            "wecom",
            "stripe",
            "paypal",
            "alipay",
            "wechatpay"
        ]
    );
    let table = String::from_utf8(run(&["plugin", "sim", "list"]).stdout).unwrap();
    assert!(
        table.starts_with("NAME") && table.contains("stripe") && table.contains("OpenID"),
        "{table}"
    );
    for (args, said) in [
        (&["plugin", "sim", "up", "nobody"][..], "saml, oidc"),
        (&["plugin", "sim", "up", "oidc", "--fault", "bad_nonse"], "bad_nonce"),
        (
            &["plugin", "sim", "up", "oidc", "--fault", "bad_nonce=7"],
            "true or false",
        ),
        (&["plugin", "sim", "up", "oidc", "--webhook", "ftp://x"], "http://"),
    ] {
        let refused = run(args);
        let text = String::from_utf8(refused.stderr).unwrap();
        assert!(
            refused.status.code() == Some(2) && text.contains(said),
            "{args:?}: {text}"
        );
    }
    // A knob that is armed from the start is.
    let armed = Simulator::start(
        "stripe",
        &["--fault", "bad_signature", "--fault", "delay_ms=1", "--next", "3"],
    )
    .await;
    let armed = need!(armed);
    assert_eq!(
        armed.told["faults"],
        json!({"bad_signature": true, "delay_ms": 1, "next": 3})
    );
    assert!(
        armed.told["knobs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|k| k["name"] == "duplicate")
    );
    // For people: what is to be pasted stands there.
    let human = aistack_tests::peers::Command::new(aistack_tests::host::binary("aistack").unwrap()).unwrap();
    let mut human = human.args(["plugin", "sim", "up", "stripe"]).spawn().unwrap();
    let text = human
        .ready(Duration::from_secs(60), |out| async move {
            out.contains("Runs until").then_some(out)
        })
        .await
        .unwrap();
    for part in ["api_base", "whsec_", "sk_test_", "timeout_after_charge"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
