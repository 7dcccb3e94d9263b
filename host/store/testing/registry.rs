//! The column registry against a real database: nothing unclassified, nothing vanished, the same shape on both.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// `migrations/columns.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    pub purposes: BTreeMap<String, String>,
    pub retentions: BTreeMap<String, String>,
    pub tables: BTreeMap<String, Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub about: String,
    pub scope: String,
    pub class: String,
    pub key: Vec<String>,
    #[serde(default)]
    pub unique: Vec<Vec<String>>,
    #[serde(default)]
    pub unique_where: Vec<Vec<String>>,
    #[serde(default)]
    pub index: Vec<Vec<String>>,
    #[serde(default)]
    pub references: Vec<String>,
    pub columns: BTreeMap<String, Column>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    pub r#type: String,
    pub whose: String,
    pub purpose: String,
    pub retention: String,
    pub erase: String,
    pub export: bool,
}

/// A table as a database has it, in the registry's words.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Name and type, with `?` for one that may be NULL.
    pub columns: BTreeMap<String, String>,
    pub key: Vec<String>,
    pub unique: BTreeSet<Vec<String>>,
    pub unique_where: BTreeSet<Vec<String>>,
    pub index: BTreeSet<Vec<String>>,
    pub references: BTreeSet<String>,
}

/// Reads the registry that this checkout has.
pub fn registry() -> Registry {
    let path = "../../migrations/columns.toml";
    let text = std::fs::read_to_string(path).unwrap();
    toml::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Compares a scope's tables with the registry, in both directions.
pub fn compare(scope: &str, found: &BTreeMap<String, Found>) {
    let registry = registry();
    let mut expected = BTreeMap::new();
    for (name, table) in registry.tables.iter().filter(|(_, table)| table.scope == scope) {
        expected.insert(
            name.clone(),
            Found {
                columns: table
                    .columns
                    .iter()
                    .map(|(c, column)| (c.clone(), column.r#type.clone()))
                    .collect(),
                key: table.key.clone(),
                unique: table.unique.iter().cloned().collect(),
                unique_where: table.unique_where.iter().cloned().collect(),
                index: table.index.iter().cloned().collect(),
                references: table.references.iter().cloned().collect(),
            },
        );
    }
    let names = |tables: &BTreeMap<String, Found>| tables.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(found),
        names(&expected),
        "tables of the {scope}: database, then columns.toml"
    );
    for (name, table) in found {
        assert_eq!(table, &expected[name], "{name}: database, then columns.toml");
    }
}

/// What every classification must fulfil.
pub fn words() {
    let registry = registry();
    for (name, table) in &registry.tables {
        assert!(["platform", "tenant"].contains(&table.scope.as_str()), "{name}: scope");
        let classes = ["rewindable", "ledger", "external", "machinery"];
        assert!(classes.contains(&table.class.as_str()), "{name}: class");
        assert!(!table.about.is_empty(), "{name}: about");
        if table.scope == "tenant" {
            let keys = [&table.key]
                .into_iter()
                .chain(&table.unique)
                .chain(&table.unique_where)
                .chain(&table.index);
            for key in keys {
                assert_eq!(key[0], "tenant_id", "{name}: {key:?} must begin with the tenant");
            }
            for reference in &table.references {
                assert!(
                    reference.starts_with("tenant_id, "),
                    "{name}: {reference} leaves the tenant"
                );
            }
        }
        for (column_name, column) in &table.columns {
            let at = format!("{name}.{column_name}");
            assert!(
                ["subject", "tenant", "platform"].contains(&column.whose.as_str()),
                "{at}: whose"
            );
            assert!(registry.purposes.contains_key(&column.purpose), "{at}: purpose");
            assert!(registry.retentions.contains_key(&column.retention), "{at}: retention");
            let reason = column
                .erase
                .strip_prefix("keep: ")
                .is_some_and(|reason| reason.len() > 10);
            assert!(
                reason || ["shred", "delete", "anonymise"].contains(&column.erase.as_str()),
                "{at}: erase"
            );
            let secret = ["hash", "secret", "sealed", "wrapped", "csrf", "search"];
            if secret.iter().any(|word| column_name.contains(word)) && column_name != "leaf_hash" {
                assert!(!column.export, "{at} must not be exported");
            }
        }
    }
}
