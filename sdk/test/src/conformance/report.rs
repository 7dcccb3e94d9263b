//! The suite of the report-generator world.

use super::lifecycle::{Lifecycle, Plugin, assert_well_formed};
use crate::context;
use crate::manifest::Manifest;
use aistack_sdk::report::{Generator, Job};
use aistack_sdk::{Fault, Kind};
use serde_json::Value;

/// Runs the suite. `params` are parameters that every report of the plugin accepts.
pub fn run<P: Generator>(suite: &Plugin<'_, P>, params: &Value) {
    let plugin = &suite.plugin;
    let features = suite.lifecycle(
        "report-generator",
        &Lifecycle {
            describe: &|| plugin.describe(),
            check: &|h, c, deep| plugin.check(h, c, deep),
            migrate: &|h, c, from, config| plugin.migrate(h, c, from, config),
        },
    );
    let manifest = Manifest::parse(suite.manifest).expect("readable");
    let job = |report: &str, format: &str| Job {
        report: report.into(),
        params: params.clone(),
        format: format.into(),
    };
    for report in &manifest.report {
        assert!(
            features.contains(&format!("report:{}", report.name)),
            "describe names the report {}",
            report.name
        );
        assert_eq!(report.params["type"], "object", "parameters are an object");
        for format in &report.formats {
            good_run(suite, &job(&report.name, format));
            cancelled_run(suite, &job(&report.name, format));
        }
        refused(
            suite,
            &job(&report.name, "no-such-format"),
            &[Kind::InvalidInput, Kind::Unsupported],
        );
        let mut nonsense = job(&report.name, &report.formats[0]);
        nonsense.params = serde_json::json!({"no such parameter": true});
        refused(suite, &nonsense, &[Kind::InvalidInput]);
    }
    refused(
        suite,
        &job("no-such-report", "csv"),
        &[Kind::InvalidInput, Kind::Unsupported, Kind::NotFound],
    );
}

fn good_run<P: Generator>(suite: &Plugin<'_, P>, job: &Job) {
    let host = suite.working();
    let summary = suite
        .plugin
        .run(&host, &context(), job.clone())
        .expect("the report is made");
    let files = host.files();
    assert!(summary["rows"].is_u64(), "the summary counts the rows");
    let named: Vec<_> = summary["files"]
        .as_array()
        .expect("the summary names the files")
        .iter()
        .collect();
    assert_eq!(
        named,
        files.keys().collect::<Vec<_>>(),
        "the summary names the files that were finished"
    );
    assert!(
        !files.is_empty() && files.values().all(|f| !f.is_empty()),
        "there is a file"
    );
    let progress = host.reported_progress();
    assert!(
        progress.is_sorted() && progress.last() == Some(&100),
        "progress only grows, to 100: {progress:?}"
    );

    let again = suite.working();
    let _ = suite.plugin.run(&again, &context(), job.clone());
    assert_eq!(
        again.files(),
        files,
        "the same data at the same time makes the same bytes"
    );
}

fn cancelled_run<P: Generator>(suite: &Plugin<'_, P>, job: &Job) {
    let host = suite.working().cancel_at(0);
    let fault = suite
        .plugin
        .run(&host, &context(), job.clone())
        .expect_err("a cancelled run ends with a fault");
    assert_eq!(fault.code, "cancelled");
    assert!(host.files().is_empty(), "a cancelled run leaves no file behind");
}

fn refused<P: Generator>(suite: &Plugin<'_, P>, job: &Job, kinds: &[Kind]) -> Fault {
    let host = suite.working();
    let fault = suite.plugin.run(&host, &context(), job.clone()).expect_err("refused");
    assert!(
        kinds.contains(&fault.kind),
        "{:?} for {}/{}",
        fault.kind,
        job.report,
        job.format
    );
    assert_well_formed(&fault);
    assert!(host.files().is_empty(), "a refused run leaves no file behind");
    fault
}
