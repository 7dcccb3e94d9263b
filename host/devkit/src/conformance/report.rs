//! The suite of the report-generator world.

use super::{
    Suite, Trouble, Verdict, ensure,
    stage::{Stage, features, of_kind},
};
use aistack_domain::plugins::port::FaultKind;
use serde_json::{Value, json};

pub(super) async fn run(s: &Suite) {
    s.case(
        "report.describe",
        "describe names every report of the manifest",
        described(s),
    )
    .await;
    let loaded = s.runner.loaded();
    for report in &loaded.manifest.report {
        let name = &report.name;
        for format in &report.formats {
            let id = |case: &str| format!("report.{case}.{name}.{format}");
            s.case(id("run"), "the report is made", good(s, name, format)).await;
            s.case(
                id("same"),
                "the same data at the same time make the same bytes",
                same(s, name, format),
            )
            .await;
            s.case(
                id("cancel"),
                "a cancelled run ends and leaves no file",
                cancelled(s, name, format),
            )
            .await;
        }
        let first = report.formats.first().map_or("", String::as_str);
        s.case(
            format!("report.format.{name}"),
            "unknown formats are refused",
            unknown_format(s, name),
        )
        .await;
        s.case(
            format!("report.params.{name}"),
            "parameters that are none are refused",
            nonsense(s, name, first),
        )
        .await;
    }
    s.case("report.unknown", "unknown reports are refused", unknown(s))
        .await;
}

async fn described(s: &Suite) -> Verdict {
    let features = features(s).await?;
    let loaded = s.runner.loaded();
    for report in &loaded.manifest.report {
        let name = format!("report:{}", report.name);
        ensure(features.contains(&name), || format!("describe does not name {name:?}"))?;
        ensure(report.params["type"] == "object", || {
            format!("params of {} describe no object", report.name)
        })?;
    }
    Ok(())
}

fn job(s: &Suite, report: &str, format: &str) -> Value {
    json!({ "report": report, "format": format, "params": s.fixtures.report.params })
}

async fn good(s: &Suite, report: &str, format: &str) -> Verdict {
    let stage = Stage::new(s)?;
    let summary = stage.works("generator.run", job(s, report, format)).await?;
    let files = stage.platform.files();
    ensure(!files.is_empty() && files.values().all(|f| !f.is_empty()), || {
        "there is no file, or an empty one".to_owned()
    })?;
    ensure(summary["rows"].is_u64(), || {
        format!("the summary does not count the rows: {summary}")
    })?;
    let named: Vec<&str> = summary["files"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let made: Vec<&str> = files.keys().map(String::as_str).collect();
    ensure(named == made, || {
        format!("the summary names {named:?}, but {made:?} were finished")
    })?;
    let progress = stage.platform.progress();
    ensure(progress.is_sorted() && progress.last() == Some(&100), || {
        format!("progress only grows, to 100; it was {progress:?}")
    })
}

async fn same(s: &Suite, report: &str, format: &str) -> Verdict {
    let (one, two) = (Stage::new(s)?, Stage::new(s)?);
    one.works("generator.run", job(s, report, format)).await?;
    two.works("generator.run", job(s, report, format)).await?;
    ensure(one.platform.files() == two.platform.files(), || {
        "the files differ".to_owned()
    })
}

async fn cancelled(s: &Suite, report: &str, format: &str) -> Verdict {
    let stage = Stage::new(s)?;
    stage.platform.cancel();
    let fault = stage
        .refused("generator.run", job(s, report, format), "a cancelled run")
        .await?;
    ensure(fault.code == "cancelled", || {
        format!("the fault is {fault}; its code has to be cancelled")
    })?;
    ensure(stage.platform.files().is_empty(), || "it left a file behind".to_owned())
}

async fn refused(s: &Suite, job: Value, kinds: &[FaultKind], what: &str) -> Verdict {
    let stage = Stage::new(s)?;
    let fault = stage.refused("generator.run", job, what).await?;
    of_kind(&fault, kinds, what)?;
    ensure(stage.platform.files().is_empty(), || "it left a file behind".to_owned())
}

async fn unknown_format(s: &Suite, report: &str) -> Verdict {
    let kinds = [FaultKind::InvalidInput, FaultKind::Unsupported];
    refused(s, job(s, report, "no-such-format"), &kinds, "an unknown format").await
}

async fn nonsense(s: &Suite, report: &str, format: &str) -> Result<(), Trouble> {
    let mut job = job(s, report, format);
    job["params"] = json!({ "no such parameter": true });
    refused(s, job, &[FaultKind::InvalidInput], "an unknown parameter").await
}

async fn unknown(s: &Suite) -> Verdict {
    let kinds = [FaultKind::InvalidInput, FaultKind::Unsupported, FaultKind::NotFound];
    refused(s, job(s, "no-such-report", "csv"), &kinds, "an unknown report").await
}
