//! What only a report plugin may import, called as the test says.

use super::aistack::report::datasets;
use aistack_hostile::{calls::Arguments, outcome};
use serde_json::{Value, json};

/// Makes the calls, one after the other; what became of each.
pub(super) fn make(all: &Value) -> Value {
    let mut held = Vec::new();
    let calls = all.as_array().into_iter().flatten();
    calls
        .map(|call| {
            let mut a = Arguments::of(call);
            let op = call["op"].as_str().unwrap_or_default();
            one(op, &mut a, &mut held).unwrap_or_else(|| json!({ "skipped": true }))
        })
        .collect()
}

fn done(_: impl Sized) -> Option<Value> {
    Some(json!({ "done": true }))
}

fn one(op: &str, a: &mut Arguments<'_>, held: &mut Vec<datasets::Rows>) -> Option<Value> {
    Some(match op {
        "datasets.open" => outcome!(datasets::open(a.text(), a.text(), a.number()).map(|r| held.push(r))),
        "datasets.progress" => return done(datasets::progress(a.number() as u8)),
        "datasets.rows.columns" => return done(a.one_of(held)?.columns()),
        "datasets.rows.next" => outcome!(a.one_of(held)?.next(a.number() as u32)),
        "drop" => return done(held.pop()),
        _ => return None,
    })
}
