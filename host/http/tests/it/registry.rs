//! What holds for every route there is.

use aistack_http::{
    openapi,
    registry::{Need, Realm},
    routes,
};
use http::Method;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn every_route_says_who_may_and_every_change_what_it_records() {
    let mut wrong = Vec::new();
    for route in routes::all().list() {
        let name = format!("{} {}", route.method, route.path);
        match route.access.need {
            Need::Public(reason) if reason.len() < 10 => wrong.push(format!("{name}: public without a reason")),
            Need::Permission(p) if p.is_platform() && route.access.realm != Realm::Platform => {
                wrong.push(format!("{name}: {p} outside the platform"));
            }
            Need::Permission(p)
                if !p.is_platform() && route.access.realm == Realm::Platform && p.as_str() != "self:manage" =>
            {
                wrong.push(format!("{name}: {p} on the platform"));
            }
            Need::Permission(p) if route.method != Method::GET && p.is_read() => {
                wrong.push(format!("{name}: a change with {p}"));
            }
            _ => {}
        }
        if route.method != Method::GET && route.access.audits.is_empty() && route.access.unaudited.is_none() {
            wrong.push(format!("{name}: neither audit actions nor a reason for none"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn operation_ids_are_unique_and_bodies_are_closed() {
    let doc = openapi::document(&routes::all());
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for (path, item) in doc["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_default();
            if !seen.insert(id.to_owned()) {
                wrong.push(format!("{method} {path}: operationId {id} is taken"));
            }
            if let Some(body) = operation["requestBody"]["content"]["application/json"]["schema"].as_object() {
                let mut open = Vec::new();
                find_open(&doc, &Value::Object(body.clone()), &mut BTreeSet::new(), &mut open);
                wrong.extend(
                    open.into_iter()
                        .map(|o| format!("{method} {path}: {o} takes unknown members")),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_committed_document_is_the_one_of_this_code() {
    // Relative, since tests run in their package's folder: clones share a target folder.
    let path = "../../docs/openapi.json";
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let current = openapi::document(&routes::all());
    assert!(committed == current, "docs/openapi.json is out of date: make openapi");
}

/// Finds object schemas with named members that take others too.
fn find_open(doc: &Value, schema: &Value, seen: &mut BTreeSet<String>, open: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        if seen.insert(name.to_owned()) {
            let target = &doc["components"]["schemas"][name];
            if target["properties"].is_object() && target["additionalProperties"] != false {
                open.push(name.to_owned());
            }
            find_open(doc, target, seen, open);
        }
        return;
    }
    match schema {
        Value::Object(map) => map.values().for_each(|v| find_open(doc, v, seen, open)),
        Value::Array(items) => items.iter().for_each(|v| find_open(doc, v, seen, open)),
        _ => {}
    }
}
