//! Stripe's conventions: bracketed parameters, expansion, lists, and errors.

use super::State;
use crate::wire::{Fields, Reply};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An error as Stripe words it.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    status: u16,
    body: Value,
}

impl Failure {
    pub(super) fn new(status: u16, kind: &str, code: &str, message: &str) -> Self {
        let mut error = json!({"type": kind, "message": message});
        if !code.is_empty() {
            error["code"] = json!(code);
        }
        Self {
            status,
            body: json!({"error": error}),
        }
    }
    pub(super) fn invalid(code: &str, param: &str, message: &str) -> Self {
        let mut failure = Self::new(400, "invalid_request_error", code, message);
        if !param.is_empty() {
            failure.body["error"]["param"] = json!(param);
        }
        failure
    }
    pub(super) fn missing(kind: &str, id: &str) -> Self {
        let mut failure = Self::new(
            404,
            "invalid_request_error",
            "resource_missing",
            &format!("No such {kind}: '{id}'"),
        );
        failure.body["error"]["param"] = json!("id");
        failure
    }
    pub(super) fn declined() -> Self {
        let mut failure = Self::new(402, "card_error", "card_declined", "Your card was declined.");
        failure.body["error"]["decline_code"] = json!("generic_decline");
        failure
    }
    pub(super) fn reply(&self) -> Reply {
        Reply::json(self.status, &self.body)
    }
}

/// `a[b][0]=x` as nested objects; `a[]=x` counts up. Lists stay objects with numbers as names.
pub(super) fn nest(fields: &Fields) -> Value {
    let mut out = Map::new();
    for (name, value) in &fields.0 {
        let (first, rest) = name.split_once('[').unwrap_or((name, ""));
        let rest = rest.strip_suffix(']').unwrap_or(rest);
        let path = std::iter::once(first).chain(
            (!rest.is_empty() || name.ends_with("[]"))
                .then(|| rest.split("]["))
                .into_iter()
                .flatten(),
        );
        put(&mut out, &path.collect::<Vec<_>>(), value);
    }
    Value::Object(out)
}

fn put(object: &mut Map<String, Value>, path: &[&str], value: &str) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let name = if first.is_empty() {
        object.len().to_string()
    } else {
        (*first).to_owned()
    };
    if rest.is_empty() {
        object.insert(name, json!(value));
        return;
    }
    let inner = object.entry(name).or_insert_with(|| json!({}));
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}

/// Refuses what is not among `known`, as Stripe does.
pub(super) fn only(form: &Value, known: &[&str]) -> Result<(), Failure> {
    let names = form.as_object().into_iter().flat_map(Map::keys);
    match names
        .into_iter()
        .find(|name| *name != "expand" && !known.contains(&name.as_str()))
    {
        Some(name) => Err(Failure::invalid(
            "parameter_unknown",
            name,
            &format!("Received unknown parameter: {name}"),
        )),
        None => Ok(()),
    }
}

/// A required whole number.
pub(super) fn integer(value: &Value, param: &str) -> Result<i64, Failure> {
    match value.as_str() {
        None => Err(Failure::invalid(
            "parameter_missing",
            param,
            &format!("Missing required param: {param}."),
        )),
        Some(text) => text
            .parse()
            .map_err(|_| Failure::invalid("parameter_invalid_integer", param, &format!("Invalid integer: {text}"))),
    }
}

/// Three letters, in lower case.
pub(super) fn currency(value: &Value, param: &str) -> Result<String, Failure> {
    let text = value.as_str().unwrap_or_default().to_ascii_lowercase();
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_lowercase()) {
        return Ok(text);
    }
    Err(Failure::invalid("", param, &format!("Invalid currency: {text}.")))
}

/// `metadata[…]` as Stripe bounds it.
pub(super) fn metadata(value: &Value) -> Result<Value, Failure> {
    let entries = value.as_object().cloned().unwrap_or_default();
    let fits = |(k, v): (&String, &Value)| k.len() <= 40 && v.as_str().is_some_and(|v| v.len() <= 500);
    if entries.len() > 50 || !entries.iter().all(fits) {
        return Err(Failure::invalid(
            "",
            "metadata",
            "at most 50 keys of 40 and values of 500 characters",
        ));
    }
    Ok(Value::Object(entries))
}

/// Replaces ids by objects along `expand[]` paths.
pub(super) fn expand(objects: &BTreeMap<String, Value>, body: &mut Value, paths: &Value) {
    let paths = paths
        .as_object()
        .into_iter()
        .flat_map(|o| o.values())
        .filter_map(Value::as_str);
    for path in paths {
        follow(objects, body, &path.split('.').collect::<Vec<_>>());
    }
}

fn follow(objects: &BTreeMap<String, Value>, value: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| follow(objects, item, path)),
        Value::Object(object) => {
            if let Some(field) = object.get_mut(*first) {
                if let Some(target) = field.as_str().and_then(|id| objects.get(id)) {
                    *field = target.clone();
                }
                follow(objects, field, rest);
            }
        }
        _ => {}
    }
}

/// One object.
pub(super) fn object(state: &State, kind: &str, id: &str) -> Result<Value, Failure> {
    let found = state.objects.get(id).filter(|o| o["object"] == kind);
    found.cloned().ok_or_else(|| Failure::missing(kind, id))
}

/// A page of a list, newest first.
pub(super) fn list<'a>(all: impl Iterator<Item = &'a Value>, form: &Value, filters: &[&str]) -> Result<Value, Failure> {
    only(form, &[filters, &["limit", "starting_after"]].concat())?;
    let limit = match form["limit"].as_str() {
        None => 10,
        Some(_) => usize::try_from(integer(&form["limit"], "limit")?).unwrap_or_default(),
    };
    if !(1..=100).contains(&limit) {
        return Err(Failure::invalid("", "limit", "Invalid limit: from 1 to 100"));
    }
    let wanted = |o: &&Value| filters.iter().all(|f| form[*f].is_null() || form[*f] == o[*f]);
    let mut rest: Vec<_> = all.filter(wanted).cloned().collect();
    if let Some(after) = form["starting_after"].as_str() {
        let at = rest
            .iter()
            .position(|o| o["id"] == after)
            .ok_or_else(|| Failure::missing("object", after))?;
        rest.drain(..=at);
    }
    let more = rest.len() > limit;
    rest.truncate(limit);
    Ok(json!({"object": "list", "data": rest, "has_more": more}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_become_objects() {
        let fields = Fields::parse(b"a=1&b[c]=2&b[d][0][e]=3&x[]=4&x[]=5");
        let expected = json!({"a": "1", "b": {"c": "2", "d": {"0": {"e": "3"}}}, "x": {"0": "4", "1": "5"}});
        assert_eq!(nest(&fields), expected);
    }
}
