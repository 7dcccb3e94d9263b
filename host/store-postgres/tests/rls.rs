//! Proof that PostgreSQL itself keeps tenants apart: with every predicate of ours left out, the database still shows and
//! takes one tenant's rows only.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod support;
#[path = "../../store/testing/mod.rs"]
mod testing;

use aistack_core::{InstallationId, Isolation, TenantScope};
use aistack_store::{Store, StoreError};
use aistack_store_postgres::{PostgresConfig, PostgresStore};
use std::sync::Arc;
use support::Database;
use testing::fixtures::*;
use testing::{audit, demo_tenant, scope_of};

/// Two tenants with a row in every tenant table.
async fn two_full_tenants() -> Option<(Database, Arc<dyn Store>, [TenantScope; 2])> {
    let database = support::database()?;
    let store = PostgresStore::connect(database.config()).await.unwrap();
    let scopes = [
        scope_of(&*store, "a", Isolation::Row).await,
        scope_of(&*store, "b", Isolation::Row).await,
    ];
    for scope in &scopes {
        fill(&*store, scope).await;
    }
    Some((database, store, scopes))
}

async fn fill(store: &dyn Store, scope: &TenantScope) {
    let plugin = installation("payment");
    let ann = user("ann@example.com", "Ann");
    let mut tx = store.tenant(scope).await.unwrap();
    tx.installations().insert(&plugin).await.unwrap();
    let secret = aistack_store::StoredSecret {
        installation_id: plugin.id,
        name: "s".to_owned(),
        version: 1,
        sealed: vec![1],
        created_at: at(1),
    };
    tx.installations().insert_secret(&secret).await.unwrap();
    tx.users().insert(&ann).await.unwrap();
    tx.users().insert_session(&session(ann.id.0)).await.unwrap();
    let identity = aistack_store::Identity {
        installation_id: plugin.id,
        issuer: "i".to_owned(),
        subject: "s".to_owned(),
        user_id: ann.id,
        created_at: at(1),
    };
    tx.users().insert_identity(&identity).await.unwrap();
    let number = tx.orders().next_number().await.unwrap();
    tx.orders().insert(&order(number, plugin.id)).await.unwrap();
    tx.orders().claim_event(plugin.id, "e", "paid", at(1)).await.unwrap();
    tx.orders().insert_delivery(&delivery(plugin.id)).await.unwrap();
    let run = report_run(InstallationId::new(&Dice, &Dice));
    tx.reports().insert(&run).await.unwrap();
    tx.reports().insert_file(&file(run.id)).await.unwrap();
    tx.usage().record(&usage_event("m", 1, at(1))).await.unwrap();
    tx.usage().count("m", at(0), 1, None).await.unwrap();
    let limit = aistack_store::QuotaOverride {
        meter: "m".to_owned(),
        limit: None,
        updated_at: at(1),
    };
    tx.usage().set_override(&limit).await.unwrap();
    let key = aistack_store::SubjectKey {
        subject: aistack_core::SubjectId::new(&Dice, &Dice),
        wrapped: vec![1],
        created_at: at(1),
    };
    tx.subject_keys().get_or_insert(&key).await.unwrap();
    tx.machinery()
        .kv_put(plugin.id, "k", b"v", None, None, at(1))
        .await
        .unwrap();
    tx.machinery().insert_login(&login(plugin.id, at(9))).await.unwrap();
    tx.machinery()
        .insert_calls(&[call(plugin.id, at(1), "ok")])
        .await
        .unwrap();
    let recording = aistack_store::Recording {
        installation_id: plugin.id,
        calls: 2,
        until: at(9),
        started_at: at(0),
    };
    tx.installations().start_recording(&recording).await.unwrap();
    let journal = aistack_store::JournalRow {
        call_id: call(plugin.id, at(1), "ok").id,
        installation_id: plugin.id,
        sealed: vec![1],
        created_at: at(1),
    };
    assert!(tx.machinery().keep_journal(&journal, 9).await.unwrap());
    tx.push_outbox(&message("x", at(1))).await.unwrap();
    tx.commit(audit("everything.made")).await.unwrap();
}

/// Every table that has rows of tenants.
fn tenant_tables(database: &Database) -> Vec<String> {
    let tables = database.psql(
        "SELECT relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid WHERE relkind = 'r' ORDER BY relname",
    );
    let tables: Vec<String> = tables.lines().map(str::to_owned).collect();
    assert!(tables.len() >= 22, "{tables:?}");
    tables
}

/// `psql` as the app role, with the tenant set or not.
fn as_app(database: &Database, tenant: Option<&TenantScope>, sql: &str) -> Result<String, String> {
    let set = tenant.map_or_else(String::new, |t| {
        format!(
            "SELECT set_config('aistack.tenant', '{}', true) \\g /dev/null\n",
            t.id().0
        )
    });
    database.script(&format!("SET ROLE aistack_app;\nBEGIN;\n{set}{sql};\nCOMMIT;\n"))
}

#[tokio::test]
async fn without_a_tenant_there_are_no_rows() {
    let Some((database, store, [a, _])) = two_full_tenants().await else {
        return;
    };
    for table in tenant_tables(&database) {
        let count = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(database.psql(&count), "2", "{table} was not filled for both tenants");
        assert_eq!(as_app(&database, None, &count).unwrap(), "0", "{table}");
        assert_eq!(as_app(&database, Some(&a), &count).unwrap(), "1", "{table}");
    }
    // After a transaction that had a tenant, its connection has none: the setting is empty then, not NULL.
    let script = format!(
        "SET ROLE aistack_app;\nBEGIN;\nSELECT set_config('aistack.tenant', '{}', true) \\g /dev/null\nCOMMIT;\n\
         SELECT COUNT(*) FROM users;\nSELECT current_setting('aistack.tenant') = '';\n",
        a.id().0
    );
    assert_eq!(database.script(&script).unwrap(), "0\nt");
    store.close().await;
}

#[tokio::test]
async fn another_tenants_rows_can_be_neither_written_nor_deleted() {
    let Some((database, store, [a, b])) = two_full_tenants().await else {
        return;
    };
    for table in tenant_tables(&database) {
        let move_rows = format!("UPDATE {table} SET tenant_id = '{}'", b.id().0);
        let refused = as_app(&database, Some(&a), &move_rows);
        assert!(
            refused
                .as_ref()
                .is_err_and(|e| e.contains("row-level security") || e.contains("permission denied")),
            "{table}: {refused:?}"
        );
    }
    // Deleting comes second: it cascades.
    for table in tenant_tables(&database) {
        if table == "audit_events" {
            let refused = as_app(&database, Some(&a), "DELETE FROM audit_events").unwrap_err();
            assert!(refused.contains("permission denied"), "{refused}");
            continue;
        }
        as_app(&database, Some(&a), &format!("DELETE FROM {table}")).unwrap();
        as_app(&database, None, &format!("DELETE FROM {table}")).unwrap();
        let left = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = '{}'", b.id().0);
        assert_eq!(database.psql(&left), "1", "{table}");
    }
    let forged = format!(
        "INSERT INTO quota_overrides (tenant_id, meter, cap, updated_at) VALUES ('{}', 'x', 1, 1)",
        b.id().0
    );
    for tenant in [Some(&a), None] {
        let refused = as_app(&database, tenant, &forged).unwrap_err();
        assert!(refused.contains("row-level security"), "{refused}");
    }
    // A reference can't point across tenants: it has the tenant in it.
    let stolen = database.psql(&format!(
        "SELECT id FROM installations WHERE tenant_id = '{}'",
        b.id().0
    ));
    let across = format!(
        "INSERT INTO kv (tenant_id, installation_id, key, value, version) VALUES ('{}', '{stolen}', 'k', '', 1)",
        a.id().0
    );
    let refused = as_app(&database, Some(&a), &across).unwrap_err();
    assert!(refused.contains("foreign key"), "{refused}");
    store.close().await;
}

/// The other layer by itself: with row-level security switched off, the predicates of the statements alone keep tenants
/// apart. (With the predicates left out, the database alone does: the two tests above. A scope is needed for either: what
/// does not compile is in `host/store/tests/compile_fail`.)
#[tokio::test]
async fn the_predicates_alone_keep_tenants_apart() {
    let Some((database, store, [full, _])) = two_full_tenants().await else {
        return;
    };
    for table in tenant_tables(&database) {
        database.psql(&format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"));
    }
    let all = as_app(&database, Some(&full), "SELECT COUNT(*) FROM users").unwrap();
    assert_eq!(all, "2", "the database holds nothing back any more");
    let a = scope_of(&*store, "c", Isolation::Row).await;
    let b = scope_of(&*store, "d", Isolation::Row).await;
    testing::isolation::tenants_are_apart(&*store, &a, &b).await;
    // What each list shows of a tenant that has nothing, beside three that have.
    let empty = scope_of(&*store, "e", Isolation::Row).await;
    let mut read = store.tenant_read(&empty).await.unwrap();
    assert_eq!(read.users().list(&page(9)).await.unwrap(), []);
    assert_eq!(read.installations().list(&page(9), None).await.unwrap(), []);
    assert_eq!(read.orders().list(&page(9), None).await.unwrap(), []);
    assert_eq!(read.reports().list(&page(9), None).await.unwrap(), []);
    assert_eq!(read.usage().events(&page(9), None).await.unwrap(), []);
    assert_eq!(read.machinery().outbox(9).await.unwrap(), []);
    assert_eq!(read.audit().frontier().await.unwrap().0, 0);
    drop(read);
    store.close().await;
}

/// Erasing takes one tenant's rows, all of them, the written log included; and what the database is asked to prove holds,
/// and does not once a policy is off or the role owns something.
#[tokio::test]
async fn a_tenant_is_erased_and_the_database_proves_what_keeps_the_others_apart() {
    let Some((database, store, [a, b])) = two_full_tenants().await else {
        return;
    };
    let holds = async || {
        let probes = store.probe(&a, &b).await.unwrap();
        let broken = probes.iter().filter(|p| !p.holds).map(|p| p.name);
        (probes.len(), broken.collect::<Vec<_>>())
    };
    assert_eq!(holds().await, (5, vec![]));
    database.psql("ALTER TABLE kv NO FORCE ROW LEVEL SECURITY");
    assert_eq!(holds().await.1, ["forced_policies"]);
    database.psql("ALTER TABLE kv FORCE ROW LEVEL SECURITY");
    database.psql("ALTER TABLE quota_overrides DISABLE ROW LEVEL SECURITY");
    assert_eq!(
        holds().await.1,
        [
            "forced_policies",
            "nothing_without_a_tenant",
            "only_own_rows",
            "no_foreign_write"
        ]
    );
    database.psql("ALTER TABLE quota_overrides ENABLE ROW LEVEL SECURITY");
    database.psql("CREATE TABLE stray (a INT); ALTER TABLE stray OWNER TO aistack_app");
    assert_eq!(holds().await.1, ["bound_role"]);
    database.psql("DROP TABLE stray");
    assert_eq!(holds().await.1, Vec::<&str>::new());
    // Nothing of a probe stays behind.
    assert_eq!(database.psql("SELECT COUNT(*) FROM quota_overrides"), "2");
    for _ in 0..2 {
        store.erase(&a).await.unwrap();
        for table in tenant_tables(&database) {
            let left = |t: &TenantScope| {
                let id = t.id().0;
                database.psql(&format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = '{id}'"))
            };
            assert_eq!((left(&a).as_str(), left(&b).as_str()), ("0", "1"), "{table}");
        }
    }
    store.close().await;
}

/// The catalogue: every table with a tenant has the policy, forced, in both directions and with the tenant leading the
/// key; the app role owns nothing and has no way around.
#[tokio::test]
async fn the_catalogue_is_as_it_must_be() {
    let Some((database, store, _)) = two_full_tenants().await else {
        return;
    };
    let platform = "'plugin_uses', 'routes', 'jobs', 'tenant_domains', 'slug_history'";
    let unprotected = database.psql(&format!(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' \
         LEFT JOIN pg_policy p ON p.polrelid = c.oid \
         WHERE c.relkind = 'r' AND c.relname NOT IN ({platform}) AND NOT (c.relrowsecurity AND c.relforcerowsecurity \
         AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL AND p.polcmd = '*' AND p.polroles = '{{0}}')"
    ));
    assert_eq!(unprotected, "");
    let not_leading = database.psql(
        "SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid \
         JOIN pg_index i ON i.indrelid = c.oid \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] WHERE a.attname <> 'tenant_id'",
    );
    assert_eq!(not_leading, "");
    let role = database.psql(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin FROM pg_roles \
         WHERE rolname = 'aistack_app'",
    );
    assert_eq!(role, "f|f|f|f|f");
    let owned = database.psql("SELECT COUNT(*) FROM pg_class WHERE relowner = 'aistack_app'::regrole");
    assert_eq!(owned, "0");
    let loopholes = database.psql(
        "SELECT (SELECT COUNT(*) FROM pg_views WHERE schemaname = 'public'), \
         (SELECT COUNT(*) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND prosecdef), \
         (SELECT COUNT(*) FROM information_schema.role_table_grants WHERE grantee = 'PUBLIC' AND table_schema = 'public')",
    );
    assert_eq!(loopholes, "0|0|0");
    for statement in [
        "TRUNCATE users",
        "CREATE TABLE x (a INT)",
        "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
    ] {
        let refused = database
            .script(&format!("SET ROLE aistack_app;\n{statement};\n"))
            .unwrap_err();
        assert!(
            refused.contains("permission denied") || refused.contains("must be owner"),
            "{refused}"
        );
    }
    store.close().await;
}

/// The connections of the store work as the app role, whoever signed in; a read transaction is one for the database too.
#[tokio::test]
async fn the_store_works_as_the_app_role() {
    let Some((database, store, [a, _])) = two_full_tenants().await else {
        return;
    };
    let mut read = store.tenant_read(&a).await.unwrap();
    read.users().count_active().await.unwrap();
    let sessions = database.psql(
        "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'aistack' AND datname = current_database()",
    );
    assert_eq!(sessions, "aistack");
    drop(read);
    // A role that signs in without owning anything does as well, with the owner apart for migrations.
    let name = format!("login_{}", database.name());
    database.psql(&format!("CREATE ROLE {name} LOGIN"));
    let config = PostgresConfig {
        owner_url: Some(database.url.clone().into()),
        ..PostgresConfig::new(database.url.replace("aistack@", &format!("{name}@")).into())
    };
    let second = PostgresStore::connect(config).await.unwrap();
    let scope = second.scope_by_slug("a").await.unwrap().unwrap();
    let mut tx = second.tenant(&scope).await.unwrap();
    assert_eq!(tx.users().count_active().await.unwrap(), 1);
    tx.commit(audit("a.b")).await.unwrap();
    second.close().await;
    store.close().await;
    database.psql(&format!("DROP ROLE {name}"));
}

/// A role that could get around row-level security is refused at the door.
#[tokio::test]
async fn a_privileged_app_role_is_refused() {
    let Some(database) = support::database() else { return };
    PostgresStore::connect(database.config()).await.unwrap().close().await;
    // A table that belongs to the app role: forced security can be lifted by an owner.
    database.psql("CREATE TABLE stray (a INT); ALTER TABLE stray OWNER TO aistack_app");
    let Err(refused) = PostgresStore::connect(database.config()).await else {
        panic!("connected with a role that owns a table");
    };
    assert!(refused.to_string().contains("would not be kept apart"), "{refused}");
    database.psql("DROP TABLE stray");
    PostgresStore::connect(database.config()).await.unwrap().close().await;
}

/// Strategies that are not there yet are refused with words, also when the catalogue says so already.
#[tokio::test]
async fn other_isolations_are_refused() {
    let Some(database) = support::database() else { return };
    let store = PostgresStore::connect(database.config()).await.unwrap();
    for (slug, isolation) in [("s", Isolation::Schema), ("d", Isolation::Database)] {
        let tenant = demo_tenant(slug, isolation);
        let mut tx = store.platform().await.unwrap();
        tx.tenants().insert(&tenant).await.unwrap();
        tx.commit(audit("tenant.created")).await.unwrap();
        let scope = store.scope(tenant.id).await.unwrap().unwrap();
        for refused in [store.provision(&scope).await.err(), store.tenant(&scope).await.err()] {
            assert!(matches!(refused, Some(StoreError::Backend(ref e)) if e.to_string().contains("not available")));
        }
    }
    store.close().await;
}

/// Several nodes that start at once on an empty database: one migrates, the others wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_may_start_together() {
    let Some(database) = support::database() else { return };
    let nodes: Vec<_> = (0..4)
        .map(|_| tokio::spawn(PostgresStore::connect(database.config())))
        .collect();
    for node in nodes {
        node.await.unwrap().unwrap().close().await;
    }
}

/// An address that can't be read must not be repeated in an error: it may have a password in it.
#[tokio::test]
async fn a_bad_address_is_not_repeated() {
    for url in ["postgres://u:hunter2@[bad/x", "nonsense hunter2"] {
        let refused = PostgresStore::connect(PostgresConfig::new(url.to_owned().into()))
            .await
            .err()
            .unwrap();
        assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused:?}");
    }
}
