//! The smallest useful report: reads a dataset page by page and writes a text file. A real one is `plugins/report-usage`.

use aistack_sdk::report::{Generator, Job};
use aistack_sdk::{Context, Fault, Feature, Finding, Host};
use serde::Deserialize;
use serde_json::{Value, json};

const DATASET: &str = "usage.daily";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    heading: String,
}

/// Exactly what the manifest's schema allows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    from: Option<String>,
    to: Option<String>,
}

/// The plugin.
#[derive(Default)]
pub struct Summary;

impl Generator for Summary {
    fn describe(&self) -> Vec<Feature> {
        vec![Feature::new("report:summary")]
    }

    fn check(&self, host: &Host, _ctx: &Context, deep: bool) -> Vec<Finding> {
        let answer = host.config::<Config>().and_then(|_| {
            if deep {
                host.open_dataset(DATASET, &json!({}), host.now_ms()).map(drop)
            } else {
                Ok(())
            }
        });
        vec![match answer {
            Ok(()) => Finding::ok("fine"),
            Err(fault) => Finding::problem(fault.message),
        }]
    }

    fn run(&self, host: &Host, _ctx: &Context, job: Job) -> Result<Value, Fault> {
        if job.report != "summary" || job.format != "txt" {
            return Err(Fault::invalid_input("no_such_report", "only summary as txt"));
        }
        let config: Config = host.config()?;
        let params: Params = serde_json::from_value(job.params)
            .map_err(|e| Fault::invalid_input("params_invalid", format!("parameters: {e}")))?;
        let mut filter = json!({});
        for (name, day) in [("from", params.from), ("to", params.to)] {
            if let Some(day) = day {
                filter[name] = json!(day);
            }
        }
        let mut rows = host.open_dataset(DATASET, &filter, host.now_ms())?;
        let mut count: u64 = 0;
        loop {
            let page = rows.next(1000)?;
            if page.is_empty() {
                break;
            }
            count += page.len() as u64;
            if !host.progress(50) {
                return Err(cancelled());
            }
        }
        if !host.progress(90) {
            return Err(cancelled());
        }
        let mut file = host.create_file("summary.txt", "text/plain; charset=utf-8")?;
        file.write(format!("{}\nrows: {count}\n", config.heading).as_bytes())?;
        let name = file.finish()?;
        let _ = host.progress(100);
        Ok(json!({"rows": count, "files": [name]}))
    }
}

fn cancelled() -> Fault {
    Fault::denied("cancelled", "the run was cancelled")
}

aistack_sdk::export_report!(Summary);

#[cfg(test)]
mod tests {
    use super::*;
    use aistack_sdk::host::{Cell, Column, ColumnKind};
    use aistack_sdk_test::{FakeHost, conformance, context};

    const MANIFEST: &str = include_str!("../aistack-plugin.toml");
    const SCHEMA: &str = include_str!("../config.schema.json");

    fn host(config: Value) -> FakeHost {
        let day = Column {
            name: "day".into(),
            kind: ColumnKind::Text,
            labels: Vec::new(),
            unit: String::new(),
        };
        let rows = vec![vec![Cell::Text("2026-01-01".into())]; 3];
        FakeHost::for_plugin(MANIFEST, config).dataset(DATASET, vec![day], rows)
    }

    #[test]
    fn conforms() {
        let config = json!({"heading": "Usage"});
        let suite = conformance::Plugin {
            plugin: Summary,
            manifest: MANIFEST,
            schema: SCHEMA,
            config,
            host: &host,
        };
        conformance::report::run(&suite, &json!({}));
    }

    #[test]
    fn counts() {
        let host = host(json!({"heading": "January"}));
        let job = Job {
            report: "summary".into(),
            params: json!({"from": "2026-01-01"}),
            format: "txt".into(),
        };
        assert_eq!(Summary.run(&host, &context(), job).unwrap()["rows"], 3);
        assert_eq!(host.files()["summary.txt"], b"January\nrows: 3\n");
    }
}
