//! The way to PostgreSQL is encrypted when its address says so, and only to the server whose certificate fits.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod support;

use aistack_store_postgres::{PostgresConfig, PostgresStore};
use std::{path::Path, time::Duration};
use support::Database;

/// Gives the running server this certificate. Its own process writes the files, so they are its own and nobody else's.
fn switch_on(database: &Database, certificate: &str, key: &str) {
    // CSV keeps the line breaks inside a value, in quotes that are taken off again; a key may be its owner's alone.
    let put = |name: &str, pem: &str| {
        format!(
            "SELECT format('COPY (SELECT %L) TO %L WITH (FORMAT csv, QUOTE ''~'')', $pem${pem}$pem$, \
             current_setting('data_directory') || '/{name}') \\gexec\n\
             SELECT format('COPY (SELECT 1) TO PROGRAM %L', 'cd ' || current_setting('data_directory') \
             || ' && sed -i s/~//g {name} && chmod 600 {name}') \\gexec\n"
        )
    };
    let script = [
        put("server.crt", certificate),
        put("server.key", key),
        "ALTER SYSTEM SET ssl = on;\nSELECT pg_reload_conf();\n".to_owned(),
    ]
    .concat();
    database.script(&script).unwrap();
    for _ in 0..100 {
        if database.psql("SHOW ssl") == "on" {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the server did not switch TLS on");
}

fn config(database: &Database, root: &Path, mode: &str) -> PostgresConfig {
    // The certificate is for this name.
    let url = database.url.replace("127.0.0.1", "localhost");
    PostgresConfig::new(format!("{url}?sslmode={mode}&sslrootcert={}", root.display()).into())
}

#[tokio::test]
async fn the_address_decides_how_the_server_is_trusted() {
    if std::env::var_os("AISTACK_TEST_POSTGRES").is_some() {
        support::say_skipped("the server in AISTACK_TEST_POSTGRES keeps its own certificate");
        return;
    }
    let Some(database) = support::database() else { return };
    let plain = PostgresStore::connect(PostgresConfig::new(format!("{}?sslmode=require", database.url).into())).await;
    assert!(plain.is_err(), "the server has no TLS yet, and the address demands it");

    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    switch_on(&database, &own.cert.pem(), &own.signing_key.serialize_pem());
    let dir = tempfile::tempdir().unwrap();
    let (right, wrong) = (dir.path().join("right.pem"), dir.path().join("wrong.pem"));
    std::fs::write(&right, own.cert.pem()).unwrap();
    std::fs::write(&wrong, other.cert.pem()).unwrap();

    let store = PostgresStore::connect(config(&database, &right, "verify-full"))
        .await
        .unwrap();
    store.health().await.unwrap();
    let encrypted = database.psql(
        "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
         WHERE s.ssl AND a.application_name = 'aistack' AND a.datname = current_database()",
    );
    assert_ne!(encrypted, "0");
    let refused = PostgresStore::connect(config(&database, &wrong, "verify-full")).await;
    assert!(refused.is_err(), "another certificate is not the server's");
    let demanded = PostgresStore::connect(config(&database, &wrong, "require")).await;
    assert!(demanded.is_ok(), "without verification any certificate encrypts");
}
