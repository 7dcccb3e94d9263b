//! What holds in every world: manifest and schema are in order; `describe`, `check` and `migrate` behave.

use super::{Suite, Trouble, Verdict, ensure, stage::Stage};
use crate::{Severity, lint, project::Project};
use aistack_plugins::PeerFailure;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) async fn run(s: &Suite) {
    s.case(
        "lifecycle.manifest",
        "manifest and config schema are in order",
        manifest(s),
    )
    .await;
    s.case(
        "lifecycle.describe.offers",
        "it says what it offers, each thing once",
        offers(s),
    )
    .await;
    s.case(
        "lifecycle.describe.stable",
        "what it offers depends on nothing",
        stable(s),
    )
    .await;
    s.case(
        "lifecycle.check.working",
        "a working configuration passes its check",
        working(s),
    )
    .await;
    s.case(
        "lifecycle.check.inside",
        "a check that is not deep asks nobody",
        inside(s),
    )
    .await;
    s.case(
        "lifecycle.check.deep",
        "a deep check notices that nothing works",
        cut_off(s),
    )
    .await;
    s.case(
        "lifecycle.check.broken",
        "a check notices a broken configuration",
        broken(s),
    )
    .await;
    s.case(
        "lifecycle.migrate.same",
        "migrating from the same version changes nothing",
        same(s),
    )
    .await;
}

async fn manifest(s: &Suite) -> Verdict {
    let loaded = s.runner.loaded();
    let inspection = &loaded.inspection;
    let project = Project {
        dir: s.dir.clone(),
        lang: crate::project::Lang::Rust,
        manifest: inspection.manifest.clone(),
        schema: inspection.config_schema.clone(),
    };
    let found = lint::texts(&project);
    let wrong = found.iter().find(|f| f.severity == Severity::Error);
    match wrong {
        None => Ok(()),
        Some(f) => Err(Trouble::Failed(format!("{} {}: {}", f.place(), f.pointer, f.message))),
    }
}

async fn offers(s: &Suite) -> Verdict {
    let all = Stage::new(s)?.works("lifecycle.describe", Value::Null).await?;
    let all = all.as_array().cloned().unwrap_or_default();
    ensure(!all.is_empty(), || "it offers nothing".to_owned())?;
    let names: BTreeSet<&str> = all.iter().filter_map(|f| f["name"].as_str()).collect();
    ensure(names.len() == all.len() && !names.contains(""), || {
        "a feature has no name, or comes twice".to_owned()
    })?;
    for f in &all {
        ensure(f["extra"].is_object(), || {
            format!("extra of {} is no JSON object", f["name"])
        })?;
    }
    Ok(())
}

async fn stable(s: &Suite) -> Verdict {
    let first = Stage::new(s)?.works("lifecycle.describe", Value::Null).await?;
    s.advance(std::time::Duration::from_secs(3600));
    let stage = Stage::new(s)?;
    let again = stage.call_with(json!({}), "lifecycle.describe", Value::Null).await?;
    ensure(again.as_ref() == Ok(&first), || {
        format!("it said {first}, then {again:?}")
    })?;
    let Some(peer) = &s.peer else { return Ok(()) };
    ensure(peer.seen().is_empty(), || "it asks somebody".to_owned())
}

fn bad(findings: &Value) -> Vec<String> {
    let all = findings.as_array().into_iter().flatten();
    all.filter(|f| f["ok"] == false)
        .map(|f| f["message"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn working(s: &Suite) -> Verdict {
    for deep in [false, true] {
        let stage = Stage::new(s)?;
        let found = stage.works("lifecycle.check", json!({ "deep": deep })).await?;
        ensure(bad(&found).is_empty(), || {
            format!("deep {deep}: {}", bad(&found).join("; "))
        })?;
        for f in found.as_array().into_iter().flatten() {
            let pointer = f["field"].as_str().unwrap_or_default();
            ensure(pointer.is_empty() || pointer.starts_with('/'), || {
                format!("{pointer:?} is no JSON pointer")
            })?;
        }
        stage.discreet(&[])?;
    }
    Ok(())
}

async fn inside(s: &Suite) -> Verdict {
    let peer = s.peer()?;
    Stage::new(s)?
        .works("lifecycle.check", json!({ "deep": false }))
        .await?;
    ensure(peer.seen().is_empty(), || format!("it asked {}", peer.seen()[0].url))
}

async fn cut_off(s: &Suite) -> Verdict {
    let loaded = s.runner.loaded();
    let manifest = &loaded.manifest;
    if manifest.egress.is_empty() && manifest.datasets().is_empty() {
        return Err(Trouble::Skipped("it talks to nobody and reads no dataset".to_owned()));
    }
    let peer = s.peer()?;
    peer.fail(PeerFailure::Unreachable("cut off".to_owned()));
    let mut stage = Stage::new(s)?;
    stage.platform = crate::run::Platform::new(&crate::project::Settings::default())?;
    match stage.call("lifecycle.check", json!({ "deep": true })).await? {
        Ok(found) => ensure(!bad(&found).is_empty(), || "it found nothing wrong".to_owned()),
        Err(fault) => Err(Trouble::Failed(format!(
            "it failed instead of saying so: {}",
            stage.told(&fault)
        ))),
    }
}

async fn broken(s: &Suite) -> Verdict {
    let stage = Stage::new(s)?;
    let config = json!({ "no such field": [1] });
    let found = stage
        .call_with(config, "lifecycle.check", json!({ "deep": false }))
        .await?;
    let found = found.map_err(|f| Trouble::Failed(format!("it failed instead of saying so: {}", stage.told(&f))))?;
    let bad = bad(&found);
    ensure(!bad.is_empty(), || "it found nothing wrong".to_owned())?;
    ensure(bad.iter().all(|m| !m.is_empty()), || {
        "a finding says nothing".to_owned()
    })
}

async fn same(s: &Suite) -> Verdict {
    let version = s.runner.loaded().manifest.version.to_string();
    let config = s.settings.config.clone();
    let arguments = json!({ "from_version": version, "config": config });
    let migrated = Stage::new(s)?.works("lifecycle.migrate", arguments).await?;
    ensure(migrated == config, || format!("{config} became {migrated}"))
}
