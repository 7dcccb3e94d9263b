//! Judging what a tenant typed in: config by the schema, secrets by the manifest, grants by both.

use crate::{
    App, FieldError, Problem,
    plugins::{
        catalogue::Listed,
        error::PluginError,
        grants::{self, GrantRequest},
        manifest::SecretKind,
        port::{Grants, Refusal},
        schema::Schema,
        secrets::MAX_SECRET,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Longest config, as JSON text.
const MAX_CONFIG: usize = 64 << 10;

/// The config with defaults filled in.
pub(super) fn accept_config(listed: &Listed, config: Value) -> Result<Value, Problem> {
    let schema = Schema::compile(&listed.config_schema)
        .map_err(|e| Problem::internal(format!("schema of {}: {e}", listed.version.id)))?;
    let mut errors = Vec::new();
    if config.to_string().len() > MAX_CONFIG {
        errors.push(FieldError::new(
            "/config",
            "too_long",
            format!("the config has more than {MAX_CONFIG} bytes"),
        ));
        return Err(PluginError::ConfigInvalid(errors).into());
    }
    // Before anything else, and without repeating the value: a secret typed into the config would be stored readable.
    secrets_in_config(&listed.config_schema, &config, "/config", &mut errors);
    if !errors.is_empty() {
        return Err(PluginError::ConfigInvalid(errors).into());
    }
    let config = schema.accept(config, "/config").map_err(PluginError::ConfigInvalid)?;
    secret_references(&config, "/config", listed, &mut errors);
    if errors.is_empty() {
        Ok(config)
    } else {
        Err(PluginError::ConfigInvalid(errors).into())
    }
}

/// Members that the schema marks as secrets (`x-aistack.secret`) are sent under `secrets`; in the config stands a reference
/// to one at most.
fn secrets_in_config(schema: &Value, config: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let (Some(properties), Some(members)) = (schema["properties"].as_object(), config.as_object()) else {
        return;
    };
    for (name, sub) in properties {
        let Some(value) = members.get(name) else { continue };
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        match &sub["x-aistack"]["secret"] {
            Value::Null | Value::Bool(false) => secrets_in_config(sub, value, &at, errors),
            _ if is_reference(value) => {}
            _ => errors.push(
                FieldError::new(
                    at,
                    "secret_in_config",
                    "this is a secret: send it as a member of `secrets`, not of `config`",
                )
                .hint("in the config stands `{\"$secret\": \"<name>\"}` at most"),
            ),
        }
    }
}

/// Whether a value is `{"$secret": "<name>"}` and nothing else.
fn is_reference(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|m| m.len() == 1 && m.get("$secret").is_some_and(Value::is_string))
}

/// Every `{"$secret": "<name>"}` in the config has to name a declared secret.
fn secret_references(v: &Value, at: &str, listed: &Listed, errors: &mut Vec<FieldError>) {
    match v {
        Value::Object(members) => {
            if let Some(name) = members.get("$secret").and_then(Value::as_str)
                && listed.manifest.secret(name).is_none()
            {
                errors.push(FieldError::new(
                    at,
                    "unknown_secret",
                    format!("the plugin declares no secret {name:?}"),
                ));
            }
            for (k, v) in members {
                let k = k.replace('~', "~0").replace('/', "~1");
                secret_references(v, &format!("{at}/{k}"), listed, errors);
            }
        }
        Value::Array(items) => {
            for (i, v) in items.iter().enumerate() {
                secret_references(v, &format!("{at}/{i}"), listed, errors);
            }
        }
        _ => {}
    }
}

/// Checks one secret's value.
pub(super) fn accept_secret(listed: &Listed, name: &str, value: &SecretString, at: &str) -> Result<(), FieldError> {
    let Some(declared) = listed.manifest.secret(name) else {
        return Err(FieldError::new(
            at,
            "unknown_secret",
            format!("the plugin declares no secret {name:?}"),
        ));
    };
    let value = value.expose_secret();
    if value.is_empty() {
        return Err(FieldError::new(at, "too_short", "a secret can't be empty"));
    }
    if value.len() > MAX_SECRET {
        return Err(FieldError::new(
            at,
            "too_long",
            format!("a secret has at most {MAX_SECRET} bytes"),
        ));
    }
    if value.contains('\0') {
        return Err(FieldError::new(at, "format", "a secret can't contain NUL"));
    }
    // A kind that an older host took is any text.
    let kind = SecretKind::of(&declared.kind).unwrap_or(SecretKind::Text);
    if let Err((why, hint)) = kind.check(value) {
        return Err(FieldError::new(at, "format", format!("secret {name:?}: {why}")).hint(hint));
    }
    Ok(())
}

/// Checks the secrets of a new installation: declared, fit, and none missing.
pub(super) fn accept_secrets(listed: &Listed, given: &BTreeMap<String, SecretString>) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = given
        .iter()
        .filter_map(|(name, value)| {
            let at = format!("/secrets/{}", name.replace('~', "~0").replace('/', "~1"));
            accept_secret(listed, name, value, &at).err()
        })
        .collect();
    let have: BTreeSet<&str> = given.keys().map(String::as_str).collect();
    errors.extend(missing_secrets(listed, &have));
    errors
}

/// Required secrets that are not there.
pub(super) fn missing_secrets(listed: &Listed, have: &BTreeSet<&str>) -> Vec<FieldError> {
    listed
        .manifest
        .secret
        .iter()
        .filter(|s| s.required && !have.contains(s.name.as_str()))
        .map(|s| {
            FieldError::new(
                format!("/secrets/{}", s.name),
                "required",
                format!("secret {:?} is required", s.name),
            )
        })
        .collect()
}

/// The config without the platform's own part: what host lists of the manifest may refer to.
pub(in crate::plugins) fn guest_config(listed: &Listed, config: &Value) -> Value {
    let mut config = config.clone();
    if listed.manifest.kind() == Some(crate::plugins::port::PluginKind::Identity)
        && let Some(members) = config.as_object_mut()
    {
        members.remove(crate::plugins::schema::PROVISIONING);
    }
    config
}

/// Grants as asked for, checked against manifest, config, actor, and what the component really imports.
pub(super) fn accept_grants(
    app: &App,
    listed: &Listed,
    config: &Value,
    asked: &GrantRequest,
    operator: bool,
) -> Result<Grants, Problem> {
    let declared = grants::declared(&listed.manifest, &guest_config(listed, config));
    let granted = grants::narrow(&declared, asked, operator, "/grants").map_err(PluginError::ConfigInvalid)?;
    linkable(app, &listed.version.digest, &granted)?;
    Ok(granted)
}

/// Whether the component can run with these grants.
pub(super) fn linkable(app: &App, digest: &str, granted: &Grants) -> Result<(), Problem> {
    app.runtime.check_grants(digest, granted).map_err(|r| match r {
        Refusal::NotGranted(names) => PluginError::ConfigInvalid(vec![FieldError::new(
            "/grants/interfaces",
            "not_granted",
            format!("the plugin can't work without {}", names.join(", ")),
        )])
        .into(),
        other => PluginError::Refused(other).into(),
    })
}
