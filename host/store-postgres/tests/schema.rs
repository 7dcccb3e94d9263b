//! The schema as PostgreSQL has it, against the column registry.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod support;
#[path = "../../store/testing/mod.rs"]
mod testing;

use aistack_store_postgres::PostgresStore;
use std::collections::BTreeMap;
use testing::registry::{Found, compare, registry};

#[tokio::test]
async fn the_schema_is_the_registrys() {
    let Some(database) = support::database() else { return };
    PostgresStore::connect(database.config()).await.unwrap().close().await;
    let mut platform: BTreeMap<String, Found> = BTreeMap::new();
    let mut tenant: BTreeMap<String, Found> = BTreeMap::new();
    let protected = database.psql("SELECT relname FROM pg_class WHERE relrowsecurity");
    let protected: Vec<&str> = protected.lines().collect();
    let mut table = |name: &str, change: &mut dyn FnMut(&mut Found)| {
        // A table that nobody classified yet counts as the tenants' when it is protected as theirs are.
        let scope = if protected.contains(&name) {
            &mut tenant
        } else {
            &mut platform
        };
        change(scope.entry(name.to_owned()).or_default());
    };
    let columns = database.psql(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, coalesce(l.collname, '') \
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_collation l ON l.oid = a.attcollation \
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE '\\_migrations%' \
         AND a.attnum > 0 AND NOT a.attisdropped",
    );
    for line in columns.lines() {
        let [name, column, kind, not_null, collation] = fields(line);
        let kind = match kind {
            "uuid" => "id",
            "bigint" => "int",
            "text" => "text",
            "bytea" => "bytes",
            other => panic!("{name}.{column}: {other}"),
        };
        assert!(
            kind != "text" || collation == "C",
            "{name}.{column} must be COLLATE \"C\""
        );
        let null = if not_null == "t" { "" } else { "?" };
        table(name, &mut |t| {
            t.columns.insert(column.to_owned(), format!("{kind}{null}"));
        });
    }
    let indexes = database.psql(
        "SELECT c.relname, i.indisprimary, i.indisunique, i.indpred IS NOT NULL, \
         (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, n) \
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum) \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE '\\_migrations%'",
    );
    for line in indexes.lines() {
        let [name, primary, unique, partial, columns] = fields(line);
        let columns: Vec<String> = columns.split(',').map(str::to_owned).collect();
        table(name, &mut |t| {
            let columns = columns.clone();
            match (primary, unique, partial) {
                ("t", ..) => t.key = columns,
                (_, "t", "f") => drop(t.unique.insert(columns)),
                (_, "t", _) => drop(t.unique_where.insert(columns)),
                _ => drop(t.index.insert(columns)),
            }
        });
    }
    let references = database.psql(
        "SELECT r.conrelid::regclass, r.confrelid::regclass, r.confdeltype, \
         (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(r.conkey) WITH ORDINALITY AS k (attnum, n) \
          JOIN pg_attribute a ON a.attrelid = r.conrelid AND a.attnum = k.attnum), \
         (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(r.confkey) WITH ORDINALITY AS k (attnum, n) \
          JOIN pg_attribute a ON a.attrelid = r.confrelid AND a.attnum = k.attnum) \
         FROM pg_constraint r WHERE r.contype = 'f'",
    );
    for line in references.lines() {
        let [name, target, action, from, to] = fields(line);
        let action = match action {
            "a" => "no action",
            "c" => "cascade",
            other => panic!("{name}: {other}"),
        };
        table(name, &mut |t| {
            t.references
                .insert(format!("{from} -> {target} ({to}) on delete {action}"));
        });
    }
    compare("platform", &platform);
    compare("tenant", &tenant);
    assert!(registry().tables.len() == platform.len() + tenant.len());
}

fn fields(line: &str) -> [&str; 5] {
    line.split('|').collect::<Vec<_>>().try_into().unwrap()
}
