//! The config schema: that it is one, and that a form made of it can be filled in by people of both languages.

use super::spans::{placed, position};
use crate::{Finding, project::SCHEMA};
use aistack_domain::plugins::{
    manifest::Manifest,
    schema::{Schema, with_host_part},
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Widgets that the console has.
const WIDGETS: &[&str] = &[
    "text",
    "textarea",
    "number",
    "switch",
    "select",
    "radio",
    "multiselect",
    "tags",
    "keyvalue",
    "secret",
    "date",
    "code",
    "object",
    "list",
    "const",
];
const HINTS: &[&str] = &[
    "order",
    "group",
    "widget",
    "secret",
    "show-if",
    "i18n",
    "groups",
    "copy-from",
];

/// Everything that is wrong with it. Without a manifest, what has to do with secrets is passed over.
pub(super) fn lint(text: &str, manifest: Option<&Manifest>) -> Vec<Finding> {
    let schema: Value = match serde_json::from_str(text) {
        Ok(schema) => schema,
        Err(e) => {
            let offset: usize = text
                .split_inclusive('\n')
                .take(e.line().saturating_sub(1))
                .map(str::len)
                .sum();
            let (line, _) = position(text, offset);
            let mut finding =
                Finding::error("syntax", "", format!("not JSON: {e}"), "see https://json-schema.org").in_file(SCHEMA);
            (finding.line, finding.column) = (Some(line), Some(e.column()));
            return vec![finding];
        }
    };
    let mut lint = Lint {
        schema: &schema,
        found: Vec::new(),
    };
    lint.root(manifest);
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let mut orders = BTreeMap::new();
    for (name, property) in properties {
        lint.field(name, property, properties, &mut orders);
        if let Some(m) = manifest {
            lint.secret(name, property, m);
        }
    }
    for secret in manifest.into_iter().flat_map(|m| &m.secret) {
        if !properties.contains_key(&secret.name) {
            lint.say(Finding::error(
                "required",
                "/properties",
                format!("the form has no field for the secret {:?}", secret.name),
                "add a property of that name: { \"type\": \"object\", \"required\": [\"$secret\"], \"properties\": { \"$secret\": { \"const\": \"<name>\" } }, \
                 \"additionalProperties\": false, \"x-aistack\": { \"secret\": true } }",
            ));
        }
    }
    lint.found.into_iter().map(|f| placed(f, SCHEMA, text)).collect()
}

struct Lint<'a> {
    schema: &'a Value,
    found: Vec<Finding>,
}

fn at(name: &str, rest: &str) -> String {
    format!("/properties/{}{rest}", name.replace('~', "~0").replace('/', "~1"))
}

impl Lint<'_> {
    fn say(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    fn root(&mut self, manifest: Option<&Manifest>) {
        if self.schema["type"] != "object" || self.schema["additionalProperties"] != false {
            self.say(Finding::error(
                "not_allowed",
                "",
                "the schema does not describe an object without additional properties",
                "\"type\": \"object\", \"additionalProperties\": false: what is misspelt must not be taken for a setting",
            ));
        }
        let compiled = match manifest.and_then(Manifest::kind) {
            Some(kind) => with_host_part(kind, self.schema).and_then(|s| Schema::compile(&s)),
            None => Schema::compile(self.schema),
        };
        if let Err(e) = compiled {
            let hint = "a JSON Schema of draft 2020-12 that refers to nothing outside itself";
            self.say(Finding::error("schema", "", e.to_string(), hint));
        }
    }

    fn field(&mut self, name: &str, property: &Value, all: &Map<String, Value>, orders: &mut BTreeMap<u64, String>) {
        let hints = &property["x-aistack"];
        match hints["order"].as_u64() {
            Some(order) => {
                if let Some(other) = orders.insert(order, name.to_owned()) {
                    let message = format!("{name} and {other} have the same order {order}");
                    self.say(Finding::error(
                        "duplicate",
                        at(name, "/x-aistack/order"),
                        message,
                        "give each field its own number",
                    ));
                }
            }
            None => self.say(Finding::error(
                "required",
                at(name, "/x-aistack/order"),
                format!("{name} has no place in the form"),
                "\"x-aistack\": { \"order\": 1, … }",
            )),
        }
        for hint in hints
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|h| !HINTS.contains(&h.as_str()))
        {
            let known = format!("hints are {}", HINTS.join(", "));
            let message = format!("{name}: the form knows no hint {hint:?}");
            self.say(Finding::error(
                "unknown_member",
                at(name, &format!("/x-aistack/{hint}")),
                message,
                &known,
            ));
        }
        if let Some(widget) = hints["widget"].as_str().filter(|w| !WIDGETS.contains(w)) {
            let known = format!("one of {}", WIDGETS.join(", "));
            let message = format!("{name}: there is no widget {widget:?}");
            self.say(Finding::error(
                "not_allowed",
                at(name, "/x-aistack/widget"),
                message,
                &known,
            ));
        }
        self.group(name, hints);
        self.show_if(name, hints, all);
        self.texts(name, property);
        let required = self.schema["required"]
            .as_array()
            .is_some_and(|r| r.iter().any(|n| n == name));
        if hints["secret"].is_null() && property.get("default").is_none() && !required && property["type"] != "array" {
            self.say(Finding::warning(
                "default_missing",
                at(name, "/default"),
                format!("{name} may be left out, but nothing says what that means"),
                "add a default, or name the field in required",
            ));
        }
    }

    fn group(&mut self, name: &str, hints: &Value) {
        let Some(group) = hints["group"].as_str() else { return };
        let groups = &self.schema["x-aistack"]["groups"];
        if groups[group].is_null() {
            self.say(Finding::warning(
                "unknown_group",
                at(name, "/x-aistack/group"),
                format!("group {group:?} has no title"),
                "on the root: \"x-aistack\": { \"groups\": { \"<group>\": { \"order\": 1, \"i18n\": { \"en\": { \"title\": \"…\" }, \"zh-CN\": { \"title\": \"…\" } } } } }",
            ));
        }
    }

    fn show_if(&mut self, name: &str, hints: &Value, all: &Map<String, Value>) {
        let Some(condition) = hints.get("show-if") else { return };
        let pointer = at(name, "/x-aistack/show-if");
        let Some(condition) = condition.as_object() else {
            let hint = "\"show-if\": { \"<field>\": [values] }";
            self.say(Finding::error(
                "type",
                pointer,
                format!("{name}: show-if is not an object"),
                hint,
            ));
            return;
        };
        for (other, values) in condition {
            if other == name || !all.contains_key(other) {
                let message = format!("{name} is shown by {other:?}, which is no other field");
                self.say(Finding::error(
                    "unknown_field",
                    format!("{pointer}/{other}"),
                    message,
                    "name another property of the schema",
                ));
            } else if let (Some(allowed), Some(values)) = (all[other]["enum"].as_array(), values.as_array())
                && let Some(never) = values.iter().find(|v| !allowed.contains(v))
            {
                let message = format!("{name} is shown when {other} is {never}, which it can never be");
                self.say(Finding::error(
                    "not_allowed",
                    format!("{pointer}/{other}"),
                    message,
                    "take a value out of that field's enum",
                ));
            }
        }
    }

    fn texts(&mut self, name: &str, property: &Value) {
        let i18n = &property["x-aistack"]["i18n"];
        for language in ["en", "zh-CN"] {
            let pointer = at(name, &format!("/x-aistack/i18n/{language}"));
            if i18n[language]["title"].as_str().is_none_or(|t| t.trim().is_empty()) {
                self.say(Finding::error(
                    "language_missing",
                    format!("{pointer}/title"),
                    format!("{name} has no title in {language}"),
                    "\"i18n\": { \"en\": { \"title\": \"…\" }, \"zh-CN\": { \"title\": \"…\" } }",
                ));
            }
            let labels = i18n[language]["enum"].as_object();
            if let (Some(labels), Some(values)) = (labels, property["enum"].as_array()) {
                let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
                let known: Vec<String> = values.iter().map(text).collect();
                if let Some(wrong) = labels.keys().find(|k| !known.contains(k)) {
                    let message = format!("{name}: {wrong:?} is labelled, but is no choice");
                    self.say(Finding::error(
                        "not_allowed",
                        format!("{pointer}/enum"),
                        message,
                        "label the values of enum",
                    ));
                }
            }
        }
    }

    fn secret(&mut self, name: &str, property: &Value, manifest: &Manifest) {
        let marked = match &property["x-aistack"]["secret"] {
            Value::String(other) => Some(other.as_str()),
            Value::Bool(true) => Some(name),
            _ => None,
        };
        match (marked, manifest.secret(marked.unwrap_or(name)).is_some()) {
            (Some(secret), false) => self.say(Finding::error(
                "unknown_secret",
                at(name, "/x-aistack/secret"),
                format!("the manifest declares no secret {secret:?}"),
                "add [[secret]] to aistack-plugin.toml, or take the mark off",
            )),
            (None, true) => self.say(Finding::error(
                "secret_unmarked",
                at(name, ""),
                format!("{name} stands for a secret of the manifest and is not marked as one: what is typed would be stored readable"),
                "\"x-aistack\": { \"secret\": true }",
            )),
            (Some(secret), true) if property["properties"]["$secret"]["const"] != *secret => self.say(Finding::error(
                "secret_shape",
                at(name, ""),
                format!("{name} allows more than a reference to its secret"),
                "\"type\": \"object\", \"required\": [\"$secret\"], \"properties\": { \"$secret\": { \"const\": \"<name>\" } }, \"additionalProperties\": false",
            )),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(order: u64, more: &Value) -> Value {
        let mut hints = json!({ "order": order, "i18n": { "en": { "title": "A" }, "zh-CN": { "title": "甲" } } });
        hints.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": "string", "default": "", "x-aistack": hints })
    }
    fn schema(properties: &Value) -> String {
        json!({ "type": "object", "additionalProperties": false, "properties": properties }).to_string()
    }
    fn codes(text: &str) -> Vec<String> {
        lint(text, None).into_iter().map(|f| f.code).collect()
    }

    #[test]
    fn a_form_that_can_be_filled_in_passes() {
        assert_eq!(
            codes(&schema(
                &json!({ "a": field(1, &json!({})), "b": field(2, &json!({ "widget": "textarea", "show-if": { "a": ["x"] } })) })
            )),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_mistake_is_named() {
        let text = schema(&json!({
            "a": field(1, &json!({ "widget": "slider" })),
            "b": field(1, &json!({ "show-if": { "nope": [1] } })),
            "c": { "type": "string" },
            "d": field(4, &json!({ "group": "g", "lable": 1 })),
        }));
        let found = codes(&text);
        for wanted in [
            "not_allowed",
            "duplicate",
            "unknown_field",
            "required",
            "language_missing",
            "unknown_group",
            "unknown_member",
            "default_missing",
        ] {
            assert!(found.iter().any(|c| c == wanted), "{wanted} in {found:?}");
        }
        let placed = lint(&text, None);
        assert!(
            placed
                .iter()
                .all(|f| f.line == Some(1) && f.column.is_some() && f.hint.is_some()),
            "{placed:?}"
        );
    }

    #[test]
    fn text_that_is_no_json_and_json_that_is_no_schema_are_told_apart() {
        assert_eq!(codes("{,"), ["syntax"]);
        assert_eq!(
            codes("{\"type\": \"object\", \"additionalProperties\": false, \"properties\": 3}"),
            ["schema"]
        );
        assert_eq!(codes("{}"), ["not_allowed"]);
    }
}
