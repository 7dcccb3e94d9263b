//! An application on a real SQLite store in a temporary folder, for tests and benches of the crates above. Mounted by
//! `#[path]`, because a crate can't depend on its own test doubles.

#![allow(dead_code, unreachable_pub, reason = "every user takes its own part of this")]

mod no_plugins;

use aistack_adapters::{DnsResolver, FileObjects, FileSealer, OciRegistries, SystemClock, SystemRng, oci::Credentials};
use aistack_core::{Actor, Clock, RequestId, Role, SessionId, TenantStatus, Timestamp, UserId};
use aistack_domain::{
    App, AppConfig, Ctx, Origin, Ports, TenantCtx,
    access::{Credential, Person, SignedIn, user_actor},
    metering::Accounting,
    tenancy,
};
use aistack_store::{Audit, Durability, Session, Store, User, UserStatus};
use aistack_store_sqlite::{SqliteConfig, SqliteStore};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

/// The machine's clock, moved by as much as a test wants.
#[derive(Debug)]
pub struct ShiftedClock {
    system: SystemClock,
    shift: AtomicI64,
}

impl ShiftedClock {
    /// Moves wall time to an instant; from there it goes on.
    pub fn set(&self, to: &str) {
        let to: Timestamp = to.parse().unwrap();
        self.shift.store(to.0 - self.system.now().0, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.system.now().0 + self.shift.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> Duration {
        self.system.monotonic()
    }
}

/// An application and the folder it lives in.
pub struct TestApp {
    /// The folder; gone with this value.
    pub dir: Arc<TempDir>,
    /// The application.
    pub app: Arc<App>,
    /// Its clock.
    pub clock: Arc<ShiftedClock>,
}

impl TestApp {
    /// On an empty folder.
    pub async fn new() -> Self {
        Self::with(Accounting::Durable, Durability::Crash).await
    }
    /// With the settings under test.
    pub async fn with(accounting: Accounting, durability: Durability) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        Self::open(dir, accounting, durability).await
    }
    /// Closes the store and opens everything again, as after a restart.
    pub async fn restart(self) -> Self {
        self.app.store.close().await;
        let accounting = self.app.config.accounting;
        let dir = Arc::clone(&self.dir);
        drop(self);
        Self::open(dir, accounting, Durability::Crash).await
    }

    async fn open(dir: Arc<TempDir>, accounting: Accounting, durability: Durability) -> Self {
        let config = SqliteConfig {
            durability,
            ..SqliteConfig::new(dir.path().join("store"))
        };
        let store: Arc<dyn Store> = SqliteStore::open(config).await.unwrap();
        let clock = Arc::new(ShiftedClock {
            system: SystemClock::new(),
            shift: AtomicI64::new(0),
        });
        let app = Arc::new(App::new(
            Ports {
                store,
                clock: clock.clone(),
                rng: Arc::new(SystemRng),
                sealer: Arc::new(sealer(dir.path())),
                objects: Arc::new(FileObjects::open(&dir.path().join("objects")).unwrap()),
                runtime: Arc::new(no_plugins::NoPlugins),
                registry: Arc::new(OciRegistries::listed(&[], Credentials::default()).unwrap()),
                resolver: Arc::new(
                    DnsResolver::new(&["127.0.0.1:1".parse().unwrap()], Duration::from_millis(200)).unwrap(),
                ),
            },
            AppConfig {
                public_url: "http://localhost:8080".parse().unwrap(),
                version: "0.0.0-test",
                accounting,
                allow_private_addresses: true,
                mandatory_plugins: Vec::new(),
                plugin_trust: aistack_domain::plugins::trust::Trust::Development,
                plugin_pins: std::collections::BTreeMap::new(),
            },
        ));
        Self { dir, app, clock }
    }

    /// A tenant on a plan, in use.
    pub async fn tenant(&self, slug: &str, plan: &str, time_zone: &str) -> TenantCtx {
        let new = tenancy::NewTenant {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            plan: plan.to_owned(),
            locale: "en".to_owned(),
            time_zone: time_zone.to_owned(),
            currency: "USD".to_owned(),
            isolation: None,
            demo: false,
            owner: None,
        };
        let tenant = tenancy::create(&self.app, &Ctx::system(None), new).await.unwrap();
        assert_eq!(tenant.status, TenantStatus::Active);
        self.tenant_ctx(slug).await
    }

    /// The system's context in a tenant.
    pub async fn tenant_ctx(&self, slug: &str) -> TenantCtx {
        self.app.directory.forget(slug);
        let known = self.app.directory.find(&self.app, slug).await.unwrap().unwrap();
        TenantCtx {
            ctx: Ctx::system(None),
            scope: known.scope,
            tenant: known.tenant,
        }
    }

    /// A member and their signed-in context.
    pub async fn member(&self, t: &TenantCtx, email: &str, role: Role) -> (TenantCtx, SignedIn) {
        let app = &self.app;
        let now = app.clock.now();
        let user = User {
            id: UserId::new(&*app.clock, &*app.rng),
            email: email.to_owned(),
            email_verified_at: None,
            name: email.to_owned(),
            role,
            status: UserStatus::Active,
            password_hash: None,
            locale: None,
            created_at: now,
            updated_at: now,
            last_login_at: None,
        };
        let mut tx = app.store.tenant(&t.scope).await.unwrap();
        tx.users().insert(&user).await.unwrap();
        let draft = aistack_domain::audit::Draft::new("user.created", "user", user.id);
        let entry = aistack_domain::audit::for_tenant(app, &mut *tx, t, draft)
            .await
            .unwrap();
        tx.commit(Audit::one(entry)).await.unwrap();
        let session = Session {
            id: SessionId::new(&*app.clock, &*app.rng),
            id_hash: vec![0; 32],
            person: user.id.0,
            csrf_token: String::new(),
            method: "password".to_owned(),
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus(Duration::from_secs(3_600)),
            revoked_at: None,
        };
        let actor: Actor = user_actor(&user);
        let who = SignedIn {
            person: Person::User(user),
            session,
            credential: Credential::Bearer,
        };
        let ctx = Ctx {
            request: Some(RequestId::new(&*app.clock, &*app.rng)),
            actor,
            session: Some(who.session.id),
            permissions: who.permissions(),
            origin: Origin {
                ip: Some([203, 0, 113, 9].into()),
                ..Origin::default()
            },
        };
        (TenantCtx { ctx, ..t.clone() }, who)
    }

    /// Actions in a tenant's audit log, oldest first.
    pub async fn actions(&self, t: &TenantCtx) -> Vec<String> {
        let mut read = self.app.store.tenant_read(&t.scope).await.unwrap();
        let rows = read.audit().leaves(0, 100_000).await.unwrap();
        rows.into_iter().map(|r| r.action).collect()
    }
}

fn sealer(dir: &Path) -> FileSealer {
    FileSealer::open_or_create(&dir.join("root.key"), Arc::new(SystemRng)).unwrap()
}
