//! A report plugin that copies a dataset into a file, and tries a few things it must not.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:report/report-generator@1.0.0",
    generate_all,
});

mod calls;

use aistack::core::types::{Context, Fault, Kind};
use aistack::host::blob;
use aistack::report::datasets::{self, Cell};
use exports::aistack::report::generator;
use serde_json::{Value, json};

aistack_hostile::embed!(b"id = \"test.hostile-report\"\nversion = \"1.0.0\"\n");

struct Hostile;
aistack_hostile::idle_core!(Hostile);
export!(Hostile);

fn show(c: &Cell) -> String {
    match c {
        Cell::Null => String::new(),
        Cell::Text(t) | Cell::Decimal(t) | Cell::Date(t) => t.clone(),
        Cell::Int(i) | Cell::TimeMs(i) => i.to_string(),
        Cell::Flag(f) => f.to_string(),
    }
}

impl generator::Guest for Hostile {
    fn run(_: Context, report: String, params: String, format: String) -> Result<String, Fault> {
        if report == "nothing" {
            return aistack_hostile::unsupported!();
        }
        let params: Value = serde_json::from_str(&params).unwrap_or_default();
        if report == "calls" {
            return Ok(json!({ "calls": calls::make(&params["calls"]) }).to_string());
        }
        let name = params["file"]
            .as_str()
            .map_or_else(|| format!("{report}.{format}"), Into::into);
        let rows = datasets::open(params["dataset"].as_str().unwrap_or("usage"), "{}", 1_700_000_000_000)?;
        let sink = blob::create(&name, "text/csv")?;
        let head: Vec<String> = rows.columns().into_iter().map(|c| c.name).collect();
        sink.write(format!("{}\n", head.join(",")).as_bytes())?;
        let mut n = 0;
        loop {
            let page = rows.next(2)?;
            if page.is_empty() || !datasets::progress(50) {
                break;
            }
            n += page.len();
            for row in page {
                sink.write(format!("{}\n", row.iter().map(show).collect::<Vec<_>>().join(",")).as_bytes())?;
            }
        }
        let listed = sink.finish()?;
        let twice = sink.finish().is_err();
        Ok(json!({ "rows": n, "files": [listed], "finish_twice_refused": twice }).to_string())
    }
}
