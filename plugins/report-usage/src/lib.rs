//! Usage as CSV and XLSX. It reads one dataset and writes one file; it has no network and no secrets.

mod amount;
mod config;
mod csv_file;
mod params;
mod run;
mod table;
#[cfg(test)]
mod tests;
mod texts;
mod xlsx_file;

use aistack_sdk::report::{Generator, Job};
use aistack_sdk::{Context, Fault, Feature, Finding, Host};
use serde_json::{Value, json};

/// The plugin.
#[derive(Default)]
pub struct UsageReport;

impl Generator for UsageReport {
    fn describe(&self) -> Vec<Feature> {
        vec![Feature::with(
            "report:usage",
            json!({"formats": ["csv", "xlsx"], "dataset": run::DATASET}),
        )]
    }

    fn check(&self, host: &Host, ctx: &Context, deep: bool) -> Vec<Finding> {
        let config = match host.config::<config::Config>() {
            Ok(_) => Finding::ok("the configuration is fine"),
            Err(fault) => return vec![Finding::problem(fault.message)],
        };
        if !deep {
            return vec![config];
        }
        let dataset = match run::probe(host) {
            Ok(columns) => Finding::ok(format!("dataset {} has {columns} columns", run::DATASET)),
            Err(fault) => Finding::problem(format!("dataset {}: {}", run::DATASET, fault.message)),
        };
        let _ = ctx;
        vec![config, dataset]
    }

    fn run(&self, host: &Host, ctx: &Context, job: Job) -> Result<Value, Fault> {
        run::run(host, ctx, &job)
    }
}

aistack_sdk::export_report!(UsageReport);
