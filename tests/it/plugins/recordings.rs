//! Recorded calls: started, kept and read through the API, replayed on another machine with the command line.

use super::{OWNER, Stage, dist};
use aistack_tests::{
    actor::Actor,
    host::{OPERATOR, Store, TestHost, binary, plugin},
};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// Somebody's own machine: the binary, and what it keeps of its user.
struct Machine(TempDir);

/// What a command said.
struct Said {
    code: i32,
    out: Value,
    err: String,
}

impl Machine {
    /// Signed in to a host.
    fn of(host: &TestHost, (email, password): (&str, &str), tenant: Option<&str>) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        let url = host.base().to_string();
        let mut arguments = vec!["login", "--url", &url, "--email", email, "--password-stdin"];
        arguments.extend(tenant.into_iter().flat_map(|t| ["--tenant", t]));
        let said = machine.run(&arguments, password);
        assert_eq!(said.code, 0, "{}", said.err);
        machine
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn run(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = Command::new(binary("aistack").unwrap())
            .arg("--json")
            .args(arguments)
            .current_dir(self.0.path())
            .env("XDG_CONFIG_HOME", self.0.path().join("config"))
            .env("XDG_CACHE_HOME", self.0.path().join("cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        Said {
            code: status.code().unwrap_or(-1),
            out: serde_json::from_slice(&stdout).unwrap_or_default(),
            err: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    fn plugin(&self, arguments: &[&str]) -> Said {
        self.run(&[&["plugin"], arguments].concat(), "")
    }
}

async fn report_plugin(stage: &Stage) -> String {
    stage
        .operator
        .install_plugin(plugin("report-usage").unwrap())
        .await
        .unwrap()
        .ok(201)
        .unwrap();
    let body = json!({ "plugin_id": "official.usage-report", "name": "Usage" });
    let made = stage
        .owner
        .post("/api/v1/installations", body)
        .await
        .unwrap()
        .ok(201)
        .unwrap();
    made["id"].as_str().unwrap().to_owned()
}

async fn check(owner: &Actor, id: &str) {
    let path = format!("/api/v1/installations/{id}/check");
    owner
        .post(&path, json!({ "deep": true }))
        .await
        .unwrap()
        .ok(200)
        .unwrap();
}

/// The calls of an installation, newest first.
async fn calls(owner: &Actor, id: &str) -> Vec<String> {
    let all = owner.all(&format!("/api/v1/installations/{id}/calls")).await.unwrap();
    all.iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect()
}

async fn audited(owner: &Actor, action: &str) -> usize {
    let all = owner
        .all(&format!("/api/v1/audit-events?action={action}"))
        .await
        .unwrap();
    all.len()
}

#[tokio::test]
async fn a_recorded_call_is_replayed_elsewhere() {
    recorded_and_replayed(Store::Sqlite).await;
}

#[tokio::test]
async fn a_recorded_call_is_replayed_elsewhere_on_postgres() {
    recorded_and_replayed(Store::Postgres).await;
}

async fn recorded_and_replayed(store: Store) {
    let stage = Stage::set(store).await;
    let id = &report_plugin(&stage).await;
    check(&stage.owner, id).await;

    // Two calls are recorded; what was before, and what comes after, is not.
    let owner = Machine::of(&stage.host, OWNER, Some("acme"));
    let started = owner.plugin(&["record", id, "--tenant", "acme", "--calls", "2"]);
    assert_eq!((started.code, &started.out["calls"]), (0, &json!(2)), "{}", started.err);
    for _ in 0..3 {
        check(&stage.owner, id).await;
    }
    let all = calls(&stage.owner, id).await;
    assert_eq!(all.len(), 4);
    let path = |call: &str| format!("/api/v1/installations/{id}/calls/{call}/journal");
    for not in [&all[0], &all[3]] {
        stage
            .owner
            .get(&path(not))
            .await
            .unwrap()
            .problem(404, "not_found")
            .unwrap();
    }
    let call = all[1].as_str();
    let journal = stage.owner.get(&path(call)).await.unwrap().ok(200).unwrap();
    assert_eq!(journal["operation"], "lifecycle.check");
    assert_eq!(journal["context"]["call_id"], call);
    assert_eq!(journal["arguments"], json!([true]));
    let imports: Vec<&str> = journal["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["import"].as_str().unwrap())
        .collect();
    assert!(imports.contains(&"datasets.open"), "{imports:?}");

    // The member names the tenant; the operator finds the call.
    let operator = Machine::of(&stage.host, OPERATOR, None);
    let kept = owner.file("journal.json");
    for said in [
        owner.plugin(&["replay", call, "--tenant", "acme", "--save", &kept]),
        operator.plugin(&["replay", call]),
    ] {
        assert_eq!(
            (said.code, &said.out["equal"]),
            (0, &json!(true)),
            "{} {}",
            said.out,
            said.err
        );
        assert_eq!(said.out["digest"], said.out["recorded_digest"]);
        assert_eq!(
            (&said.out["call"], &said.out["difference"]),
            (&json!(call), &Value::Null)
        );
        assert_eq!(said.out["output"], journal["output"]);
    }

    // Without a server; and a component that does something else.
    let wasm = |folder: &str, name: &str| {
        let file = owner.file(&format!("{name}.wasm"));
        std::fs::write(&file, dist(folder, name)).unwrap();
        file
    };
    let same = owner.plugin(&["replay", "--journal", &kept, "--wasm", &wasm("plugins", "report-usage")]);
    assert_eq!(same.code, 0, "{}", same.err);
    let other = owner.plugin(&[
        "replay",
        "--journal",
        &kept,
        "--wasm",
        &wasm("plugins", "payment-stripe"),
    ]);
    assert_eq!(
        (other.code, &other.out["equal"]),
        (1, &json!(false)),
        "{} {}",
        other.out,
        other.err
    );
    assert!(other.out["difference"]["seq"].as_u64() >= Some(1), "{}", other.out);
    assert!(other.err.contains("replay_diverged"), "{}", other.err);
    let none = owner.plugin(&["replay", &all[0], "--tenant", "acme"]);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("plugin record"), "{}", none.err);

    // Who did what stands in the log.
    assert_eq!(audited(&stage.owner, "installation.recording_started").await, 1);
    assert_eq!(audited(&stage.owner, "call.journal_read").await, 3);
    assert_eq!(audited(&stage.owner, "call.component_read").await, 2);

    bounds(&stage, id, call).await;
    let stopped = owner.plugin(&["record", id, "--tenant", "acme", "--stop"]);
    assert_eq!(stopped.code, 0, "{}", stopped.err);
    assert_eq!(audited(&stage.owner, "installation.recording_ended").await, 1);
    let again = owner.plugin(&["record", id, "--tenant", "acme", "--stop"]);
    assert_ne!(again.code, 0);
    check(&stage.owner, id).await;
    let newest = calls(&stage.owner, id).await.remove(0);
    stage
        .owner
        .get(&path(&newest))
        .await
        .unwrap()
        .problem(404, "not_found")
        .unwrap();
    assert!(Path::new(&kept).exists());
}

/// What is refused, and to whom.
async fn bounds(stage: &Stage, id: &str, call: &str) {
    let record = format!("/api/v1/installations/{id}/record");
    for (body, pointer) in [
        (json!({ "calls": 0 }), "/calls"),
        (json!({ "calls": 101 }), "/calls"),
        (json!({ "minutes": 1441 }), "/minutes"),
    ] {
        let refused = stage.owner.post(&record, body).await.unwrap();
        let problem = refused.problem(422, "validation_failed").unwrap();
        assert_eq!(problem["errors"][0]["pointer"], pointer);
        assert!(problem["errors"][0]["hint"].is_string());
    }
    let nowhere = stage
        .owner
        .post("/api/v1/installations/ins_0000000000000000000000000a/record", json!({}));
    assert!(matches!(nowhere.await.unwrap().status, 404 | 422));
    let other = stage.tenant("other").await;
    let journal = format!("/api/v1/installations/{id}/calls/{call}/journal");
    other.get(&journal).await.unwrap().problem(404, "not_found").unwrap();
    let started = stage
        .owner
        .post(&record, json!({ "calls": 100, "minutes": 1440 }))
        .await
        .unwrap();
    assert_eq!(started.ok(200).unwrap()["calls"], 100);
}
