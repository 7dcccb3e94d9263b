//! What every store must do, as a test body that both stores mount: it knows only the traits.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cloned_ref_to_slice_refs,
    clippy::needless_pass_by_value,
    dead_code,
    unused_imports,
    missing_docs,
    unreachable_pub,
    reason = "each store mounts what it needs; tests need no reference and may panic"
)]

pub mod audit;
pub mod commerce;
pub mod domains;
pub mod fixtures;
pub mod isolation;
pub mod platform;
pub mod registry;
pub mod tenant;

pub use fixtures::{Dice, audit, demo_tenant, scope_of};

/// One test per function of the shared body, by what the function needs. `fresh()` makes a store and whatever has to live
/// as long as it (or `None` where there is no server), `isolations()` says where its tenants live.
#[macro_export]
macro_rules! every_store {
    () => {
        $crate::every_store! {
            platform(store): operators, tenants, plugins, routes, settings, jobs;
            domains(store): tenant_domains, former_slugs;
            tenant(store, scope): users, subject_keys, installations, machinery, journals;
            commerce(store, scope): usage, orders, reports;
            audit(store, scope): appends_leaves, filters, logs_are_separate;
            audit(shared, scope): concurrent_commits;
            isolation(shared, scope): all_or_nothing, no_write_skew, racing_counts;
            isolation(store, scope): snapshots, health_and_close;
            isolation(store, two): tenants_are_apart;
            isolation(shared): racing_leases;
        }
    };
    ($($module:ident $need:tt: $($name:ident),+;)+) => {
        $($($crate::every_store!(@test $module $name $need);)+)+
    };
    (@test $module:ident $name:ident (store)) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let Some((_kept, store)) = fresh().await else { return };
            testing::$module::$name(&*store).await;
            store.close().await;
        }
    };
    (@test $module:ident $name:ident (shared)) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let Some((_kept, store)) = fresh().await else { return };
            testing::$module::$name(&store).await;
            store.close().await;
        }
    };
    (@test $module:ident $name:ident (store, two)) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            for isolation in isolations() {
                let Some((_kept, store)) = fresh().await else { return };
                let a = testing::scope_of(&*store, "a", isolation).await;
                let b = testing::scope_of(&*store, "b", isolation).await;
                testing::$module::$name(&*store, &a, &b).await;
                store.close().await;
            }
        }
    };
    (@test $module:ident $name:ident (store, scope)) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            for isolation in isolations() {
                let Some((_kept, store)) = fresh().await else { return };
                let scope = testing::scope_of(&*store, "one", isolation).await;
                testing::$module::$name(&*store, &scope).await;
                store.close().await;
            }
        }
    };
    (@test $module:ident $name:ident (shared, scope)) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            for isolation in isolations() {
                let Some((_kept, store)) = fresh().await else { return };
                let scope = testing::scope_of(&*store, "one", isolation).await;
                testing::$module::$name(&store, &scope).await;
                store.close().await;
            }
        }
    };
}
