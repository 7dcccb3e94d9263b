//! `config.schema.json` as the SDK's tests read it: every field has its place in the form and its texts in both
//! languages, and secrets are marked.

use serde_json::Value;

/// What is odd about a config schema, for a plugin author; empty when nothing is. `secrets` are the manifest's.
#[must_use]
pub fn complaints(schema: &Value, secrets: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    if schema["type"] != "object" || schema["additionalProperties"] != false {
        out.push("the schema describes an object without additional properties".into());
    }
    let none = serde_json::Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let mut orders = std::collections::BTreeSet::new();
    for (name, property) in properties {
        let hints = &property["x-aistack"];
        match hints["order"].as_u64() {
            Some(order) if orders.insert(order) => {}
            Some(order) => out.push(format!("{name}: order {order} is taken")),
            None => out.push(format!("{name}: x-aistack.order is missing")),
        }
        for language in ["en", "zh-CN"] {
            if hints["i18n"][language]["title"].as_str().is_none_or(str::is_empty) {
                out.push(format!("{name}: x-aistack.i18n.{language}.title is missing"));
            }
        }
        let marked = hints["secret"] == true;
        let declared = secrets.contains(name);
        if marked && property["properties"]["$secret"]["const"] != **name {
            out.push(format!(
                "{name}: a secret is an object {{\"$secret\": {name:?}}}, so that no value can stand in the config"
            ));
        }
        if marked != declared {
            out.push(format!(
                "{name}: secret in the schema is {marked}, in the manifest {declared}"
            ));
        }
        if !marked && property.get("default").is_none() && !is_required(schema, name) && property["type"] != "array" {
            out.push(format!(
                "{name}: an optional field needs a default that says what leaving it out means"
            ));
        }
    }
    for secret in secrets {
        if !properties.contains_key(secret) {
            out.push(format!("secret {secret}: the schema has no field for it"));
        }
    }
    out
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"]
        .as_array()
        .is_some_and(|r| r.iter().any(|n| n == name))
}
