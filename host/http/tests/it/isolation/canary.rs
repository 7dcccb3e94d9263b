//! The canary differential: one tenant does whatever comes, with its own ids and another's; the other's state stays as it
//! was, and nothing the first one gets back, nor the log, nor a file that is not the other's, has a byte of the other's.

use super::{
    World,
    recipes::{IN_BODIES, Own, RECIPES, fill_path},
    things::{Things, nobodys},
};
use aistack_core::Isolation;
use aistack_http::{
    registry::{Need, Realm},
    routes,
};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
};

/// Numbers that are the same in every run.
struct Turns(u64);
impl Turns {
    fn next(&mut self, below: usize) -> usize {
        // Knuth's MMIX constants.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// The log of the process, in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);
impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every request there is in a tenant: method, template, body.
type Request = (http::Method, String, Option<Value>);

fn requests(things: &Things) -> Vec<Request> {
    let mut all: Vec<Request> = RECIPES
        .iter()
        .chain(IN_BODIES)
        .filter(|r| r.own != Own::Stream)
        .map(|r| (r.method(), r.path(things), r.body(things)))
        .collect();
    let lists = routes::all().list().into_iter().filter(|r| {
        r.method == http::Method::GET
            && matches!(r.access.realm, Realm::Tenant | Realm::Either)
            && matches!(r.access.need, Need::Permission(_))
            && !r.path.contains('{')
            && r.path != "/api/v1/live"
    });
    all.extend(lists.map(|r| (r.method, fill_path(&r.path, things), None)));
    all
}

async fn differential(isolation: Isolation, seed: u64) {
    let lines = Lines::default();
    let to = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || to.clone())
        .finish();
    let w = World::new(isolation).await;
    let before = w.rival.state(&w.p).await;
    let log = tracing::subscriber::set_default(subscriber);
    let mut turns = Turns(seed);
    let pools = [
        requests(&w.acme.things),
        requests(&w.rival.things),
        requests(&nobodys(&w.acme.things, true)),
    ];
    let word = w.rival.sentinel.clone();
    for step in 0..250 {
        let pool = &pools[turns.next(pools.len())];
        let (method, path, body) = pool[turns.next(pool.len())].clone();
        let path = match turns.next(6) {
            // Searching for the other's words must not find them, nor say whether they are there.
            0 if method == http::Method::GET && !path.contains('?') => format!("{path}?q=zqx&limit=200"),
            1 => format!("{path}?tenant_id={}&tenant=rival", w.rival.scope.id()),
            _ => path,
        };
        let body = body.map(|mut body| {
            if turns.next(8) == 0 {
                body["tenant_id"] = json!(w.rival.scope.id());
            }
            body.to_string().into_bytes()
        });
        let kind = body.as_ref().map(|_| "application/json");
        let mut by = w.acme.owner.clone();
        if turns.next(5) == 0 {
            by.extra.push(("x-tenant-id", w.rival.scope.id().to_string()));
        }
        let answer = by.send(method.clone(), &path, kind, body.unwrap_or_default()).await;
        let said = format!("{:?} {}", answer.headers, answer.body);
        assert!(!said.contains(&word), "step {step}: {method} {path} answers: {said}");
    }
    drop(log);
    assert_eq!(before, w.rival.state(&w.p).await);
    let log = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    assert!(log.contains("/api/v1/"), "the log was not taken: {log}");
    assert!(!log.contains(&word), "the log has the other's words");
    // On disk: in the other's own folder and database, or in the one they share.
    let id = w.rival.scope.id().0;
    let (hyphens, simple) = (id.hyphenated().to_string(), id.simple().to_string());
    w.p.app.store.close().await;
    let mut found = 0;
    for file in files(w.p.dir()) {
        let name = file.display().to_string();
        let own = name.contains(&hyphens) || name.contains(&simple) || name.contains(&w.rival.scope.id().to_string());
        let shared = isolation == Isolation::Row && name.contains("shared.db");
        let has = std::fs::read(&file)
            .unwrap()
            .windows(word.len())
            .any(|part| part == word.as_bytes());
        assert!(!has || own || shared, "{name} has the other's words");
        found += usize::from(has);
    }
    assert!(
        found >= 2,
        "the words stand in the database and in the file of a report: {found}"
    );
}

pub(super) fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

#[tokio::test]
async fn nothing_of_another_tenant_comes_out_of_its_own_file() {
    differential(Isolation::Database, 1).await;
}

#[tokio::test]
async fn nothing_of_another_tenant_comes_out_of_a_shared_file() {
    for seed in [2, 3] {
        differential(Isolation::Row, seed).await;
    }
}
