//! Plugins through the whole platform: the real binary, real components, both databases.

mod recordings;
mod releases;
mod sims;
mod sources;
mod steered;
mod swap;

use aistack_tests::{
    actor::Actor,
    host::{Store, TestHost},
};
use serde_json::json;

const OWNER: (&str, &str) = ("olga@acme.test", "the owner's long password");

/// A host with a tenant, and its operator and owner.
struct Stage {
    host: TestHost,
    operator: Actor,
    owner: Actor,
}

impl Stage {
    async fn set(store: Store) -> Self {
        let host = TestHost::start(store).await.unwrap();
        let operator = host.set_up().await.unwrap();
        let owner = host.visitor();
        let mut stage = Self { host, operator, owner };
        stage.owner = stage.tenant("acme").await;
        stage
    }

    /// Another tenant; its owner.
    async fn tenant(&self, slug: &str) -> Actor {
        let owner = json!({"email": OWNER.0, "name": "Olga", "password": OWNER.1});
        let tenant = json!({"slug": slug, "name": slug, "owner": owner});
        self.operator
            .post("/api/v1/tenants", tenant)
            .await
            .unwrap()
            .ok(201)
            .unwrap();
        let mut owner = self.host.tenant_visitor(slug);
        owner.sign_in(OWNER.0, OWNER.1).await.unwrap();
        owner
    }
}

/// A real component whose manifest says another version: other bytes, so another component.
fn another_version(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "sections keep their lengths");
    let (from, to) = (format!("\nversion = \"{from}\""), format!("\nversion = \"{to}\""));
    // The text may stand among the component's data as well; what counts is the section.
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter_map(|(at, window)| (window == from.as_bytes()).then_some(at))
        .collect();
    assert!(!places.is_empty(), "the manifest names its version");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

/// A component as `cargo xtask plugins` built it.
fn dist(folder: &str, name: &str) -> Vec<u8> {
    let path = aistack_tests::repository()
        .join("dist")
        .join(folder)
        .join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run: cargo xtask plugins", path.display()))
}
