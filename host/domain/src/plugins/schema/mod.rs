//! JSON Schemas of plugins: compiled without any network or file access, used to validate what tenants type in and to
//! fill in defaults.

mod bounds;

use crate::FieldError;
use jsonschema::{PatternOptions, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value, json};

/// Why a schema can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(pub String);

/// A schema, ready to use.
#[derive(Debug, Clone)]
pub struct Schema {
    source: Value,
    validator: std::sync::Arc<Validator>,
}

/// At most this many errors are reported; a form has no use for more.
const MAX_ERRORS: usize = 50;

impl Schema {
    /// Compiles a schema. References may point inside the schema only; patterns run on an engine without backtracking,
    /// so that no pattern can burn time.
    ///
    /// # Errors
    /// When it is not a schema, refers to another document, contains itself, or is very large once its references are
    /// followed.
    pub fn compile(source: &Value) -> Result<Self, SchemaError> {
        if !source.is_object() {
            return Err(SchemaError("the schema is not an object".to_owned()));
        }
        if let Some(reference) = foreign_reference(source) {
            return Err(SchemaError(format!(
                "the schema refers to another document ({reference}); only references within it are allowed"
            )));
        }
        bounds::check(source)?;
        let validator = jsonschema::options()
            .offline()
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .build(source)
            .map_err(|e| SchemaError(e.to_string()))?;
        Ok(Self {
            source: source.clone(),
            validator: validator.into(),
        })
    }

    /// Fills in defaults and validates. `at` is the JSON pointer of the instance within the request body.
    ///
    /// # Errors
    /// Every value that was not accepted, with its pointer.
    pub fn accept(&self, mut instance: Value, at: &str) -> Result<Value, Vec<FieldError>> {
        fill_defaults(&self.source, &self.source, &mut instance, 0);
        let errors: Vec<FieldError> = self
            .validator
            .iter_errors(&instance)
            .take(MAX_ERRORS)
            .map(|e| {
                let mut pointer = format!("{at}{}", e.instance_path().as_str());
                match e.kind() {
                    ValidationErrorKind::Required { property } => push(&mut pointer, property.as_str()),
                    ValidationErrorKind::AdditionalProperties { unexpected }
                    | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                        push(&mut pointer, unexpected.first().map(String::as_str));
                    }
                    _ => {}
                }
                FieldError::new(pointer, code(e.kind()), e.masked().to_string())
            })
            .collect();
        if errors.is_empty() { Ok(instance) } else { Err(errors) }
    }

    /// The schema as written.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }
}

fn push(pointer: &mut String, member: Option<&str>) {
    if let Some(m) = member {
        pointer.push('/');
        pointer.push_str(&m.replace('~', "~0").replace('/', "~1"));
    }
}

/// Stable codes of our own; the validator's keyword where there is nothing better.
fn code(kind: &ValidationErrorKind) -> String {
    match kind {
        ValidationErrorKind::Required { .. } => "required".to_owned(),
        ValidationErrorKind::AdditionalProperties { .. } | ValidationErrorKind::UnevaluatedProperties { .. } => {
            "unknown_member".to_owned()
        }
        ValidationErrorKind::MinLength { .. } => "too_short".to_owned(),
        ValidationErrorKind::MaxLength { .. } => "too_long".to_owned(),
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => "not_allowed".to_owned(),
        ValidationErrorKind::Minimum { .. } | ValidationErrorKind::ExclusiveMinimum { .. } => "too_small".to_owned(),
        ValidationErrorKind::Maximum { .. } | ValidationErrorKind::ExclusiveMaximum { .. } => "too_large".to_owned(),
        other => other.keyword().to_owned(),
    }
}

/// The first `$ref` (or `$dynamicRef`) that leaves the document.
fn foreign_reference(v: &Value) -> Option<&str> {
    match v {
        Value::Object(members) => members.iter().find_map(|(k, v)| match (k.as_str(), v) {
            ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(target)) if !target.starts_with('#') => {
                Some(target.as_str())
            }
            // A constant or an example may hold anything, also something that looks like a reference.
            ("const" | "enum" | "default" | "examples", _) => None,
            _ => foreign_reference(v),
        }),
        Value::Array(items) => items.iter().find_map(foreign_reference),
        _ => None,
    }
}

/// Fills in `default` of absent members, through nested objects, array items, `allOf` and local references. Branches
/// (`anyOf`, `oneOf`, `if`) are left alone: which one holds is not known before validating.
fn fill_defaults(root: &Value, schema: &Value, instance: &mut Value, depth: usize) {
    if depth > 32 {
        return;
    }
    let Some(schema) = schema.as_object() else { return };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str)
        && let Some(target) = target.strip_prefix('#').and_then(|p| root.pointer(p))
    {
        fill_defaults(root, target, instance, depth + 1);
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        fill_defaults(root, part, instance, depth + 1);
    }
    if let (Some(items), Some(values)) = (schema.get("items"), instance.as_array_mut()) {
        for v in values {
            fill_defaults(root, items, v, depth + 1);
        }
    }
    if let (Some(properties), Some(members)) = (
        schema.get("properties").and_then(Value::as_object),
        instance.as_object_mut(),
    ) {
        for (name, sub) in properties {
            if !members.contains_key(name)
                && let Some(default) = sub.get("default")
            {
                members.insert(name.clone(), default.clone());
            }
            if let Some(v) = members.get_mut(name) {
                fill_defaults(root, sub, v, depth + 1);
            }
        }
    }
}

/// The name of the settings that the platform itself reads from an identity connection's config.
pub const PROVISIONING: &str = "provisioning";

/// The config schema as tenants see it: the plugin's own, and for identity connections the platform's account rules
/// under [`PROVISIONING`]. Rules about accounts belong to the platform; a plugin can neither weaken nor read them.
///
/// # Errors
/// When the plugin's schema claims that name, or does not describe an object.
pub fn with_host_part(kind: crate::plugins::port::PluginKind, plugin: &Value) -> Result<Value, SchemaError> {
    let mut schema = plugin.clone();
    let object = schema
        .as_object_mut()
        .ok_or_else(|| SchemaError("the config schema is not an object".to_owned()))?;
    if object.get("type").is_some_and(|t| t != "object") {
        return Err(SchemaError("the config schema does not describe an object".to_owned()));
    }
    object.insert("type".to_owned(), "object".into());
    match kind {
        crate::plugins::port::PluginKind::Payment | crate::plugins::port::PluginKind::Report => {}
        crate::plugins::port::PluginKind::Identity => {
            let properties = object
                .entry("properties")
                .or_insert_with(|| Value::Object(Map::new()))
                .as_object_mut()
                .ok_or_else(|| SchemaError("properties of the config schema is not an object".to_owned()))?;
            if properties.contains_key(PROVISIONING) {
                return Err(SchemaError(format!(
                    "the config schema uses {PROVISIONING:?}, which is the platform's"
                )));
            }
            let part = crate::identity::policy::schema();
            let titles = json!({ "en": { "title": part["title"] }, "zh-CN": { "title": part["x-aistack"]["i18n"]["zh-CN"]["title"] } });
            properties.insert(PROVISIONING.to_owned(), part);
            // A group of its own below the plugin's. Hints that are no objects are the plugin's mistake, and only cost it a title.
            let hints = object.entry("x-aistack").or_insert_with(|| json!({}));
            if let Some(groups) = hints
                .as_object_mut()
                .map(|h| h.entry("groups").or_insert_with(|| json!({})))
                && let Some(groups) = groups.as_object_mut()
            {
                groups.insert(PROVISIONING.to_owned(), json!({ "order": 900, "i18n": titles }));
            }
        }
    }
    Ok(schema)
}
