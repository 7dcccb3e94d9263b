//! What only a report plugin may import, called as the test says.

use super::aistack::report::datasets;
use aistack_hostile::{
    calls::{self, Arguments, done},
    outcome,
};
use serde_json::Value;

/// Makes the calls, one after the other; what became of each.
pub(super) fn make(all: &Value) -> Value {
    calls::make(all, one)
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
