//! The schema as SQLite has it, against the column registry.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "../../store/testing/mod.rs"]
mod testing;

use aistack_core::Isolation;
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use std::collections::BTreeMap;
use std::path::Path;
use testing::registry::{Found, compare, words};
use testing::scope_of;

#[test]
fn the_registry_uses_its_words() {
    words();
}

#[tokio::test]
async fn the_schema_is_the_registrys() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteConfig::new(dir.path())).await.unwrap();
    scope_of(&*store, "one", Isolation::Row).await;
    store.close().await;
    compare("platform", &tables(&dir.path().join("platform.db")).await);
    compare("tenant", &tables(&dir.path().join("tenants/shared.db")).await);
}

async fn tables(file: &Path) -> BTreeMap<String, Found> {
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    let names = texts(
        &mut conn,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    )
    .await;
    let mut tables = BTreeMap::new();
    for name in names {
        let strict = texts(
            &mut conn,
            &format!("SELECT name FROM pragma_table_list('{name}') WHERE strict"),
        )
        .await;
        assert_eq!(strict, std::slice::from_ref(&name), "{name} must be STRICT");
        tables.insert(name.clone(), table(&mut conn, &name).await);
    }
    tables
}

async fn table(conn: &mut SqliteConnection, name: &str) -> Found {
    let mut found = Found::default();
    let info = format!("SELECT name, type, \"notnull\", pk FROM pragma_table_info('{name}') ORDER BY pk");
    for row in sqlx::query(AssertSqlSafe(info)).fetch_all(&mut *conn).await.unwrap() {
        let (column, kind): (String, String) = (row.get(0), row.get(1));
        let (not_null, key): (i64, i64) = (row.get(2), row.get(3));
        // A BLOB is an id or bytes: SQLite can't tell, so the registry's word is taken where it is one of the two.
        let kind = match kind.as_str() {
            "BLOB" => blob(name, &column),
            "INTEGER" => "int".to_owned(),
            "TEXT" => "text".to_owned(),
            other => panic!("{name}.{column}: {other}"),
        };
        found
            .columns
            .insert(column.clone(), if not_null == 1 { kind } else { format!("{kind}?") });
        if key > 0 {
            found.key.push(column);
        }
    }
    let indexes = format!("SELECT name, \"unique\", origin, partial FROM pragma_index_list('{name}')");
    for row in sqlx::query(AssertSqlSafe(indexes)).fetch_all(&mut *conn).await.unwrap() {
        let (index, origin): (String, String) = (row.get(0), row.get(2));
        let (unique, partial): (i64, i64) = (row.get(1), row.get(3));
        let columns = texts(
            conn,
            &format!("SELECT name FROM pragma_index_info('{index}') ORDER BY seqno"),
        )
        .await;
        match (origin.as_str(), unique, partial) {
            ("pk", ..) => continue,
            (_, 1, 0) => found.unique.insert(columns),
            (_, 1, _) => found.unique_where.insert(columns),
            _ => found.index.insert(columns),
        };
    }
    let references = format!(
        "SELECT group_concat(\"from\", ', ' ORDER BY seq) || ' -> ' || \"table\" || ' (' || \
         group_concat(\"to\", ', ' ORDER BY seq) || ') on delete ' || lower(on_delete) \
         FROM pragma_foreign_key_list('{name}') GROUP BY id"
    );
    found.references = texts(conn, &references).await.into_iter().collect();
    found
}

fn blob(table: &str, column: &str) -> String {
    let registry = testing::registry::registry();
    let word = registry
        .tables
        .get(table)
        .and_then(|t| t.columns.get(column))
        .map(|c| c.r#type.as_str());
    match word {
        Some("id" | "id?") => "id".to_owned(),
        _ => "bytes".to_owned(),
    }
}

async fn texts(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_all(conn)
        .await
        .unwrap()
}
