//! The manifests and schemas that ship with the repository are accepted as they stand.

use super::parse;
use crate::plugins::{
    grants,
    schema::{Schema, with_host_part},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

/// Manifest and config schema of every official plugin and every template.
fn shipped() -> Vec<(String, String, Value)> {
    let root = Path::new("../..").to_path_buf();
    let mut found = Vec::new();
    for folder in ["plugins", "sdk/templates"] {
        for entry in fs::read_dir(root.join(folder)).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if let Ok(manifest) = fs::read_to_string(path.join("aistack-plugin.toml")) {
                let schema = fs::read_to_string(path.join("config.schema.json")).expect("a schema beside the manifest");
                let schema = serde_json::from_str(&schema).expect("the schema is JSON");
                found.push((path.display().to_string(), manifest, schema));
            }
        }
    }
    assert!(found.len() >= 6, "three plugins and three templates: {}", found.len());
    found
}

#[test]
fn shipped_manifests_and_schemas_are_accepted() {
    for (name, manifest, schema) in shipped() {
        let manifest = parse(&manifest).unwrap_or_else(|e| panic!("{name}: {e}"));
        let kind = manifest.kind().expect("a known world");
        let whole = with_host_part(kind, &schema).unwrap_or_else(|e| panic!("{name}: {e}"));
        Schema::compile(&whole).unwrap_or_else(|e| panic!("{name}: {e}"));
        let marked: BTreeSet<_> = schema["properties"]
            .as_object()
            .expect("properties")
            .iter()
            .filter(|(_, p)| p["x-aistack"]["secret"] == true)
            .map(|(n, _)| n.as_str())
            .collect();
        let declared: BTreeSet<_> = manifest.secret.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            marked, declared,
            "{name}: the form asks for exactly the declared secrets"
        );
    }
}

#[test]
fn a_secret_can_not_be_written_into_a_config() {
    for (name, manifest, schema) in shipped() {
        let manifest = parse(&manifest).expect("accepted");
        let schema = Schema::compile(&schema).expect("compiles");
        for secret in &manifest.secret {
            let refused = schema
                .accept(json!({ &secret.name: "the value itself" }), "/config")
                .expect_err("refused");
            let pointer = format!("/config/{}", secret.name);
            assert!(refused.iter().any(|e| e.pointer == pointer), "{name}: {pointer}");
        }
    }
}

#[test]
fn defaults_of_the_official_plugins_resolve_to_their_providers() {
    for (file, config, host) in [
        ("payment-stripe", json!({}), "api.stripe.com:443"),
        (
            "identity-oauth",
            json!({ "client_id": "x", "issuer": "https://id.example.test/realms/main" }),
            "id.example.test:443",
        ),
        (
            "identity-oauth",
            json!({ "client_id": "x", "provider": "github" }),
            "api.github.com:443",
        ),
    ] {
        let (_, manifest, schema) = shipped()
            .into_iter()
            .find(|(name, ..)| name.ends_with(file))
            .expect("shipped");
        let config = Schema::compile(&schema)
            .expect("compiles")
            .accept(config, "/config")
            .expect("valid");
        let grants = grants::declared(&parse(&manifest).expect("accepted"), &config);
        assert!(
            grants.http_hosts.iter().any(|h| h == host),
            "{file}: {:?}",
            grants.http_hosts
        );
        assert!(grants.secrets.values().any(|s| s.hosts.iter().any(|h| h == host)) || host == "api.github.com:443");
    }
}
