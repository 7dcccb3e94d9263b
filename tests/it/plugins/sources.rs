//! Components from a registry that nobody here wrote, and from a folder that is watched.

use super::{OWNER, another_version};
use aistack_tests::{
    actor::Actor,
    host::{OPERATOR, Store, TestHost, binary, plugin, setup_token},
    need,
    peers::{DockerRegistry, PeerError, REGISTRY_LOGIN},
};
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{io::Write as _, path::Path, process::Stdio, time::Duration};

fn settings(pairs: &[(&str, toml::Value)]) -> toml::Table {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The command line of somebody whose home is `home`.
struct Shell<'a> {
    home: &'a Path,
}

struct Said {
    code: Option<i32>,
    out: Value,
    err: String,
}

impl Shell<'_> {
    fn run(&self, args: &[&str], stdin: &str) -> anyhow::Result<Said> {
        let mut child = std::process::Command::new(binary("aistack")?)
            .arg("--json")
            .args(args)
            .env("HOME", self.home)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("DOCKER_CONFIG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child.stdin.take().context("stdin")?.write_all(stdin.as_bytes())?;
        let done = child.wait_with_output()?;
        Ok(Said {
            code: done.status.code(),
            out: serde_json::from_slice(&done.stdout).unwrap_or_default(),
            err: String::from_utf8_lossy(&done.stderr).into_owned(),
        })
    }

    fn fine(&self, args: &[&str], stdin: &str) -> anyhow::Result<Value> {
        let said = self.run(args, stdin)?;
        ensure!(said.code == Some(0), "{args:?}: {:?} {}", said.code, said.err);
        Ok(said.out)
    }
}

async fn owner_of_acme(host: &TestHost, operator: &Actor) -> anyhow::Result<Actor> {
    let body =
        json!({"slug": "acme", "name": "acme", "owner": {"email": OWNER.0, "name": "Olga", "password": OWNER.1}});
    operator.post("/api/v1/tenants", body).await?.ok(201)?;
    let mut owner = host.tenant_visitor("acme");
    owner.sign_in(OWNER.0, OWNER.1).await?;
    Ok(owner)
}

async fn refusals(operator: &Actor, needle: &str) -> anyhow::Result<usize> {
    let events = operator.all("/api/v1/platform/audit-events").await?;
    let about = |e: &&Value| e["action"] == "plugin.refused" && e.to_string().contains(needle);
    Ok(events.iter().filter(about).count())
}

async fn source(operator: &Actor, name: &str) -> anyhow::Result<Value> {
    let all = operator.get("/api/v1/plugins/sources").await?.ok(200)?;
    let found = all["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|s| s["name"] == name);
    Ok(found.cloned().unwrap_or_default())
}

#[tokio::test]
async fn a_component_goes_to_a_registry_and_comes_back_both_ways() {
    need!(there_and_back().await);
}

async fn there_and_back() -> Result<(), PeerError> {
    let registry = DockerRegistry::start(false).await?;
    let listed = settings(&[("registries", toml::Value::from(vec![registry.host().to_owned()]))]);
    let host = TestHost::start_with(Store::Sqlite, listed).await?;
    let home = tempfile::tempdir().map_err(anyhow::Error::from)?;
    let shell = Shell { home: home.path() };
    let url = host.base().to_string();
    let token = setup_token(&host.setup_link()?)?;
    let setup = [
        "setup",
        "--url",
        &url,
        "--token",
        &token,
        "--email",
        OPERATOR.0,
        "--name",
        "Olive",
        "--password-stdin",
    ];
    shell.fine(&setup, OPERATOR.1)?;
    let mut operator = host.visitor();
    operator.sign_in(OPERATOR.0, OPERATOR.1).await?;

    // Publish: once, again, and something else under the same tag.
    let component = plugin("report-usage")?;
    let file = home.path().join("usage.wasm");
    std::fs::write(&file, &component).map_err(anyhow::Error::from)?;
    let file = file.display().to_string();
    let reference = format!("oci://{}/official/usage:1.0.0", registry.host());
    let first = shell.fine(&["plugin", "publish", &file, &reference], "")?;
    assert_eq!(
        (&first["was_there"], &first["component"]),
        (&json!(false), &json!(format!("sha256:{}", digest(&component))))
    );
    let pinned = first["reference"].as_str().context("a reference")?.to_owned();
    assert!(pinned.starts_with(&format!("{reference}@sha256:")), "{pinned}");
    assert_eq!(
        shell.fine(&["plugin", "publish", &file, &reference], "")?["was_there"],
        true
    );
    let other = home.path().join("other.wasm");
    let changed = another_version(plugin("report-usage").unwrap(), "1.0.0", "1.0.1");
    std::fs::write(&other, &changed).map_err(anyhow::Error::from)?;
    let other = other.display().to_string();
    let taken = shell.run(&["plugin", "publish", &other, &reference], "")?;
    assert!(
        taken.code == Some(1) && taken.err.contains("already_exists") && taken.err.contains("--force"),
        "{}",
        taken.err
    );

    // The registry serves what it took as what wkg expects.
    let http = reqwest::Client::new();
    let at = format!("http://{}/v2/official/usage/manifests/1.0.0", registry.host());
    let asked = http
        .get(&at)
        .header("accept", "application/vnd.oci.image.manifest.v1+json")
        .send()
        .await;
    let manifest: Value = asked
        .map_err(anyhow::Error::from)?
        .json()
        .await
        .map_err(anyhow::Error::from)?;
    assert_eq!(
        manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json",
        "{manifest}"
    );
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    let at = format!(
        "http://{}/v2/official/usage/blobs/{}",
        registry.host(),
        manifest["config"]["digest"].as_str().context("config")?
    );
    let config: Value = http
        .get(&at)
        .send()
        .await
        .map_err(anyhow::Error::from)?
        .json()
        .await
        .map_err(anyhow::Error::from)?;
    assert_eq!(config["layerDigests"], json!([manifest["layers"][0]["digest"]]));
    let exports = config["component"]["exports"].to_string();
    assert!(exports.contains("aistack:report/generator@1"), "{config}");

    // Pulled on this machine and uploaded.
    let installed = shell.fine(&["plugin", "install", &pinned], "")?;
    assert_eq!(installed["items"][0]["digest"], digest(&component), "{installed}");
    assert_eq!(installed["items"][0]["plugin_id"], "official.usage-report");
    // Pulled by the server.
    let next = format!("oci://{}/official/usage:1.0.1", registry.host());
    shell.fine(&["plugin", "publish", &other, &next], "")?;
    let installed = shell.fine(&["plugin", "install", "--server", &next], "")?;
    assert_eq!(installed["items"][0]["digest"], digest(&changed), "{installed}");
    let seen = source(&operator, &next).await?;
    assert_eq!(
        (&seen["kind"], &seen["state"], &seen["plugin"]),
        (&json!("registry"), &json!("installed"), &installed["items"][0]["id"])
    );
    // Where it came from, to the digest, is on record.
    let events = operator.all("/api/v1/platform/audit-events").await?;
    let from = |e: &&Value| {
        e["action"] == "plugin.installed"
            && e["details"]["source"]
                .as_str()
                .is_some_and(|s| s.starts_with(&format!("{next}@sha256:")))
    };
    assert_eq!(events.iter().filter(from).count(), 1, "{events:#?}");
    // The same again is known.
    operator
        .post("/api/v1/plugins/pull", json!({"reference": next}))
        .await?
        .problem(409, "already_exists")?;
    assert_eq!(source(&operator, &next).await?["state"], "known");
    Ok(())
}

#[tokio::test]
async fn pulls_are_refused_with_what_where_and_how() {
    need!(refused().await);
}

async fn refused() -> Result<(), PeerError> {
    let (open, closed) = (DockerRegistry::start(false).await?, DockerRegistry::start(true).await?);
    let hosts = vec![open.host().to_owned(), closed.host().to_owned()];
    let host = TestHost::start_with(Store::Sqlite, settings(&[("registries", toml::Value::from(hosts))])).await?;
    let operator = host.set_up().await?;
    let home = tempfile::tempdir().map_err(anyhow::Error::from)?;
    let shell = Shell { home: home.path() };
    let pull = |body: Value| operator.post("/api/v1/plugins/pull", body);

    for (reference, code) in [
        ("registry.example/x:1", "format"),
        ("oci://registry.example/x", "format"),
        ("oci://registry.example/acme/pay:1", "registry_not_listed"),
        ("oci://169.254.169.254/latest/meta-data:1", "registry_not_listed"),
    ] {
        let problem = pull(json!({"reference": reference}))
            .await?
            .problem(422, "validation_failed")?;
        let error = &problem["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["code"]),
            (&json!("/reference"), &json!(code)),
            "{problem}"
        );
        assert!(error["hint"].as_str().is_some_and(|h| !h.is_empty()), "{problem}");
    }
    let nothing = format!("oci://{}/acme/pay:1", open.host());
    assert!(pull(json!({"reference": nothing})).await?.problem(404, "not_found")?["hint"].is_string());

    // A registry that wants to know who asks.
    let component = plugin("report-usage")?;
    let file = home.path().join("usage.wasm");
    std::fs::write(&file, &component).map_err(anyhow::Error::from)?;
    let file = file.display().to_string();
    let secret = format!("oci://{}/official/usage:1", closed.host());
    let denied = shell.run(&["plugin", "publish", &file, &secret], "")?;
    assert!(
        denied.code == Some(1) && denied.err.contains("registry_denied"),
        "{}",
        denied.err
    );
    std::fs::create_dir(home.path().join(".docker")).map_err(anyhow::Error::from)?;
    let login = json!({"auths": {closed.host(): {"username": REGISTRY_LOGIN.0, "password": REGISTRY_LOGIN.1}}});
    std::fs::write(home.path().join(".docker/config.json"), login.to_string()).map_err(anyhow::Error::from)?;
    shell.fine(&["plugin", "publish", &file, &secret], "")?;
    let denied = pull(json!({"reference": secret}))
        .await?
        .problem(422, "plugin_refused")?;
    assert_eq!(denied["reason"], "registry_denied", "{denied}");
    assert!(refusals(&operator, "registry_denied").await? >= 1);

    // A digest of the component that is not the one.
    let public = format!("oci://{}/official/usage:1", open.host());
    shell.fine(&["plugin", "publish", &file, &public], "")?;
    let wrong = json!({"reference": public, "digest": format!("sha256:{}", "0".repeat(64))});
    assert_eq!(
        pull(wrong).await?.problem(422, "plugin_refused")?["reason"],
        "digest_mismatch"
    );
    assert!(refusals(&operator, "digest_mismatch").await? >= 1);
    let pinned = json!({"reference": format!("{public}@sha256:{}", "0".repeat(64))});
    pull(pinned).await?.problem(404, "not_found")?;
    let seen = source(&operator, &public).await?;
    assert_eq!(
        (&seen["state"], &seen["refusal"]["reason"]),
        (&json!("refused"), &json!("digest_mismatch")),
        "{seen}"
    );
    assert!(seen["refusal"]["hint"].is_string(), "{seen}");
    // Only operators.
    let owner = owner_of_acme(&host, &operator).await?;
    for answer in [
        owner.get("/api/v1/plugins/sources").await?,
        owner.post("/api/v1/plugins/pull", json!({"reference": public})).await?,
    ] {
        assert!((400..500).contains(&answer.status), "{answer}");
    }
    Ok(())
}

async fn until(operator: &Actor, name: &str, state: &str) -> anyhow::Result<Value> {
    for _ in 0..200 {
        let seen = source(operator, name).await?;
        if seen["state"] == state {
            return Ok(seen);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!(
        "{name} is not {state}: {}",
        operator.get("/api/v1/plugins/sources").await?
    )
}

#[tokio::test]
async fn what_is_put_into_the_watched_folder_is_installed_or_says_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let watched = settings(&[("watch_dir", dir.path().display().to_string().into())]);
    let host = need!(TestHost::start_with(Store::Sqlite, watched).await);
    let operator = host.set_up().await.unwrap();

    // Copied slowly: nothing is made of half a file.
    let component = plugin("report-usage").unwrap();
    let (head, tail) = component.split_at(component.len() / 2);
    let path = dir.path().join("usage.wasm");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(head).unwrap();
    for half in tail.chunks(tail.len() / 6 + 1) {
        tokio::time::sleep(Duration::from_millis(400)).await;
        file.write_all(half).unwrap();
    }
    drop(file);
    let seen = until(&operator, "usage.wasm", "installed").await.unwrap();
    assert_eq!(
        (&seen["kind"], &seen["digest"]),
        (&json!("watch"), &json!(digest(&component)))
    );
    assert_eq!(
        refusals(&operator, "usage.wasm").await.unwrap(),
        0,
        "half a file was never looked at"
    );
    let listed = operator.all("/api/v1/plugins").await.unwrap();
    assert_eq!(listed[0]["id"], seen["plugin"]);

    // Refused: in the list, the audit log and the log, with field and hint.
    let bad = another_version(plugin("report-usage").unwrap(), "1.0.0", "1.0.x");
    std::fs::write(dir.path().join("bad.wasm"), &bad).unwrap();
    std::fs::write(dir.path().join("text.wasm"), "no component").unwrap();
    let seen = until(&operator, "bad.wasm", "refused").await.unwrap();
    let refusal = &seen["refusal"];
    assert_eq!(
        (&refusal["code"], &refusal["reason"]),
        (&json!("plugin_refused"), &json!("manifest")),
        "{seen}"
    );
    let error = &refusal["errors"][0];
    assert!(error["field"].is_string() && error["code"].is_string(), "{seen}");
    assert!(
        error["hint"]
            .as_str()
            .or(refusal["hint"].as_str())
            .is_some_and(|h| !h.is_empty()),
        "{seen}"
    );
    let seen = until(&operator, "text.wasm", "refused").await.unwrap();
    assert_eq!(seen["refusal"]["reason"], "not_a_component", "{seen}");
    assert_eq!(refusals(&operator, "watch:bad.wasm").await.unwrap(), 1);
    assert!(host.output().contains("bad.wasm"), "{}", host.output());
    // Looked at once, not every second.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(refusals(&operator, "watch:bad.wasm").await.unwrap(), 1);

    // Put right, it is taken; taken away, it stays installed.
    let good = another_version(plugin("report-usage").unwrap(), "1.0.0", "1.0.2");
    std::fs::write(dir.path().join("bad.wasm"), &good).unwrap();
    until(&operator, "bad.wasm", "installed").await.unwrap();
    std::fs::remove_file(&path).unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(operator.all("/api/v1/plugins").await.unwrap().len(), 2);
    // The same component under another name is known, and no refusal.
    std::fs::write(dir.path().join("again.wasm"), &good).unwrap();
    let seen = until(&operator, "again.wasm", "known").await.unwrap();
    assert!(seen["plugin"].is_string() && seen["refusal"].is_null(), "{seen}");
}

#[tokio::test]
async fn installations_follow_the_watched_folder_where_that_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let watched = settings(&[
        ("watch_dir", dir.path().display().to_string().into()),
        ("watch_upgrade", true.into()),
    ]);
    let host = need!(TestHost::start_with(Store::Sqlite, watched).await);
    let operator = host.set_up().await.unwrap();
    std::fs::write(dir.path().join("usage.wasm"), plugin("report-usage").unwrap()).unwrap();
    until(&operator, "usage.wasm", "installed").await.unwrap();
    let owner = owner_of_acme(&host, &operator).await.unwrap();
    let mut enabled = Vec::new();
    for name in ["Follows", "Stays"] {
        let body = json!({ "plugin_id": "official.usage-report", "name": name, "config": {} });
        let made = owner
            .post("/api/v1/installations", body)
            .await
            .unwrap()
            .ok(201)
            .unwrap();
        enabled.push(format!("/api/v1/installations/{}", made["id"].as_str().unwrap()));
    }
    let pinned = owner.patch(&enabled[1], json!({ "pinned": true })).await.unwrap();
    pinned.ok(200).unwrap();

    let next = another_version(plugin("report-usage").unwrap(), "1.0.0", "1.0.1");
    std::fs::write(dir.path().join("next.wasm"), next).unwrap();
    let version = async |at: &str| owner.get(at).await.unwrap().ok(200).unwrap()["version"].clone();
    let asked = tokio::time::Instant::now();
    while version(&enabled[0]).await != "1.0.1" {
        assert!(asked.elapsed() < Duration::from_secs(60), "{}", host.output());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(version(&enabled[1]).await, "1.0.0");
}
