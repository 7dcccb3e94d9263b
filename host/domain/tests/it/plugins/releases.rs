//! New versions on trial: who gets them, what takes them back, what promoting changes.

use crate::world::{PAYMENT, World};
use aistack_core::ProblemKind;
use aistack_domain::{
    Problem, TenantCtx,
    jobs::JobHandler,
    plugins::{
        calls, catalogue,
        installations::{self, Change, InstallationView},
        port::{Fault, FaultKind},
        releases::{self, By, Mode, NewRelease, Promote, Release, State},
    },
};
use aistack_store::Page;
use serde_json::json;
use std::collections::BTreeSet;

/// Versions 1.0.0 and 2.0.0, the second one changed by `edit`.
pub(crate) async fn two(w: &World, edit: impl Fn(String) -> String) {
    w.install(PAYMENT, &json!({ "type": "object" })).await;
    let two = PAYMENT.replace("version = \"1.0.0\"", "version = \"2.0.0\"");
    w.install(&edit(two), &json!({ "type": "object" })).await;
}

/// A till at 1.0.0.
pub(crate) async fn till(w: &World, t: &TenantCtx) -> InstallationView {
    let made = w.enable(t, "test.pay", json!({}), &[("key", "k")]).await.unwrap();
    let back = Change {
        version: Some("1.0.0".to_owned()),
        ..Change::default()
    };
    installations::update(&w.app, t, made.id, back).await.unwrap()
}

pub(crate) fn canary(by: By, share: u16) -> NewRelease {
    NewRelease {
        plugin_id: "test.pay".to_owned(),
        to: "2.0.0".to_owned(),
        from: None,
        mode: Mode::Canary,
        by,
        share,
        max_errors: 50,
        min_calls: 20,
    }
}

pub(crate) async fn start(w: &World, new: NewRelease) -> Result<Release, Problem> {
    releases::start(&w.app, &w.operator(), new).await
}

/// The version that answers a call now, and how to end it.
pub(crate) async fn version(w: &World, t: &TenantCtx, i: &InstallationView) -> String {
    let loaded = calls::load(&w.app, t, i.id, None).await.unwrap();
    loaded.plugin.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_canary_answers_its_share_and_no_more() {
    let w = World::new().await;
    two(&w, |m| m).await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t).await;
    let release = start(&w, canary(By::Calls, 300)).await.unwrap();
    assert_eq!(
        (release.from_version.as_str(), release.state),
        ("1.0.0", State::Running)
    );
    let mut new = 0;
    for _ in 0..1000 {
        new += usize::from(version(&w, &t, &made).await == "2.0.0");
    }
    assert!((220..380).contains(&new), "{new} of 1000 at 30 %");
    // One release of a plugin at a time; what is pinned stays out of it.
    let p = start(&w, canary(By::Calls, 1)).await.unwrap_err();
    assert_eq!(
        (p.kind, &p.extras["reason"]),
        (ProblemKind::Conflict, &json!("release_running"))
    );
    releases::end(&w.app, &w.operator(), &release.id, State::RolledBack, "no")
        .await
        .unwrap();
    for _ in 0..50 {
        assert_eq!(version(&w, &t, &made).await, "1.0.0");
    }
    let all = start(&w, canary(By::Tenants, 1000)).await.unwrap();
    assert_eq!(version(&w, &t, &made).await, "2.0.0");
    let pin = Change {
        pinned: Some(true),
        ..Change::default()
    };
    installations::update(&w.app, &t, made.id, pin).await.unwrap();
    assert_eq!(version(&w, &t, &made).await, "1.0.0");
    // Nothing of this has changed the installation.
    assert_eq!(installations::get(&w.app, &t, made.id).await.unwrap().version, "1.0.0");
    let listed = releases::list(&w.app, "test.pay").await.unwrap();
    let states: BTreeSet<_> = listed
        .iter()
        .map(|r| (r.id.clone(), r.state))
        .map(|(id, s)| (id == all.id, s.as_str()))
        .collect();
    assert_eq!(states, [(true, "running"), (false, "rolled_back")].into());
}

#[tokio::test]
async fn what_needs_consent_is_no_place_for_a_canary() {
    let w = World::new().await;
    two(&w, |m| {
        m.replace("[\"api.pay.example\"]", "[\"api.pay.example\", \"more.pay.example\"]")
    })
    .await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t).await;
    let see = async || installations::get(&w.app, &t, made.id).await.unwrap();
    let release = start(&w, canary(By::Tenants, 1000)).await.unwrap();
    // It is asked for once, and goes on as it was.
    for _ in 0..5 {
        assert_eq!(version(&w, &t, &made).await, "1.0.0");
    }
    let waits = see().await.pending.unwrap();
    assert_eq!(
        (waits.version.as_str(), &waits.added["http_hosts"]),
        ("2.0.0", &vec!["more.pay.example:443".to_owned()])
    );
    let asked = async || w.trail(&t).await.iter().filter(|a| a.contains("consent_asked")).count();
    assert_eq!(asked().await, 1);
    // A release that came to nothing asks for nothing.
    releases::take_back(&w.app, &w.operator(), &release.id, "no")
        .await
        .unwrap();
    assert!(see().await.pending.is_none());
    let p = installations::consent(&w.app, &t, made.id, waits.added_digest.clone()).await;
    assert_eq!(p.unwrap_err().extras["reason"], "nothing_pending");
    // Promoted, it waits for consent there, and is given it.
    let release = start(&w, canary(By::Calls, 1000)).await.unwrap();
    releases::promote(&w.app, &w.operator(), &release.id).await.unwrap();
    run_jobs(&w).await;
    assert_eq!((see().await.version.as_str(), asked().await), ("1.0.0", 2));
    // No, it says first: it is not asked again by the same release, and may still change its mind by itself.
    installations::decline(&w.app, &t, made.id).await.unwrap();
    run_jobs(&w).await;
    assert_eq!((see().await.pending, asked().await), (None, 2));
    let mind = Change {
        version: Some("2.0.0".to_owned()),
        when_consented: true,
        ..Change::default()
    };
    installations::update(&w.app, &t, made.id, mind).await.unwrap();
    let after = installations::consent(&w.app, &t, made.id, waits.added_digest)
        .await
        .unwrap();
    assert_eq!((after.version.as_str(), after.pending), ("2.0.0", None));
}

#[tokio::test]
async fn a_promoted_release_is_taken_back() {
    let w = World::new().await;
    two(&w, |m| m).await;
    let t = w.tenant("acme").await;
    let (made, born) = (
        till(&w, &t).await,
        w.enable(&t, "test.pay", json!({}), &[("key", "k")]).await.unwrap(),
    );
    assert_eq!(born.version, "2.0.0");
    let release = start(&w, canary(By::Tenants, 10)).await.unwrap();
    releases::promote(&w.app, &w.operator(), &release.id).await.unwrap();
    run_jobs(&w).await;
    let version = async |i: &InstallationView| installations::get(&w.app, &t, i.id).await.unwrap().version;
    assert_eq!(version(&made).await, "2.0.0");
    let back = releases::take_back(&w.app, &w.operator(), &release.id, "it smells")
        .await
        .unwrap();
    assert_eq!(
        (back.state, back.reason.as_deref()),
        (State::RolledBack, Some("it smells"))
    );
    run_jobs(&w).await;
    assert_eq!(version(&made).await, "1.0.0");
    assert_eq!(version(&born).await, "2.0.0", "it never was at another version");
    assert_eq!(w.trail(&t).await.last().unwrap(), "installation.rolled_back ok");
    let again = releases::take_back(&w.app, &w.operator(), &release.id, "again")
        .await
        .unwrap_err();
    assert_eq!(again.extras["reason"], "release_ended");
}

async fn run_jobs(w: &World) {
    let jobs = w
        .app
        .store
        .platform_read()
        .await
        .unwrap()
        .jobs()
        .list(
            &Page {
                limit: 200,
                ..Page::default()
            },
            None,
        )
        .await
        .unwrap();
    for job in jobs.into_iter().filter(|j| j.kind == "plugin.promote") {
        Promote.run(&w.app, &job).await.unwrap();
        // Whoever runs it twice changes nothing.
        Promote.run(&w.app, &job).await.unwrap();
    }
}

#[tokio::test]
async fn promoting_changes_whoever_may_and_asks_after_its_health_first() {
    let w = World::new().await;
    two(&w, |m| m).await;
    let t = w.tenant("acme").await;
    let (free, pinned) = (till(&w, &t).await, till(&w, &t).await);
    let pin = Change {
        pinned: Some(true),
        ..Change::default()
    };
    installations::update(&w.app, &t, pinned.id, pin).await.unwrap();
    let release = start(&w, canary(By::Tenants, 1000)).await.unwrap();
    w.script
        .sick
        .lock()
        .unwrap()
        .push(Fault::new(FaultKind::Internal, "trap", "the plugin crashed"));
    let p = releases::promote(&w.app, &w.operator(), &release.id).await.unwrap_err();
    assert_eq!(
        (&p.extras["reason"], &p.extras["fault"]),
        (&json!("health_gate"), &json!("trap"))
    );
    let promoted = releases::promote(&w.app, &w.operator(), &release.id).await.unwrap();
    assert_eq!(promoted.state, State::Promoted);
    run_jobs(&w).await;
    let version = async |i: &InstallationView| installations::get(&w.app, &t, i.id).await.unwrap().version;
    assert_eq!(
        (version(&free).await, version(&pinned).await),
        ("2.0.0".to_owned(), "1.0.0".to_owned())
    );
    assert_eq!(w.trail(&t).await.last().unwrap(), "installation.upgraded ok");
    let ended = releases::promote(&w.app, &w.operator(), &release.id).await.unwrap_err();
    assert_eq!(ended.extras["reason"], "release_ended");
}

#[tokio::test]
async fn a_shadow_is_compared_and_answers_nobody() {
    let w = World::new().await;
    two(&w, |m| m).await;
    let t = w.tenant("acme").await;
    let made = till(&w, &t).await;
    let shadow = NewRelease {
        mode: Mode::Shadow,
        ..canary(By::Tenants, 0)
    };
    let release = start(&w, shadow).await.unwrap();
    assert_eq!(version(&w, &t, &made).await, "1.0.0");
    installations::check(&w.app, &t, made.id, false).await.unwrap();
    assert!(w.app.releases.diffs(&release.id).is_empty(), "both say the same");
    w.script.odd.lock().unwrap().push("2.0.0".to_owned());
    let said = installations::check(&w.app, &t, made.id, false).await.unwrap();
    let diffs = w.app.releases.diffs(&release.id);
    assert_eq!(diffs.len(), 1);
    assert_eq!(
        (&diffs[0].was[0]["message"], &diffs[0].would[0]["message"]),
        (&json!("fine[31m"), &json!("odd"))
    );
    assert_eq!(said[0].message, "fine[31m");
    // A deep check talks to the provider: it is not done twice.
    w.script.asked();
    installations::check(&w.app, &t, made.id, true).await.unwrap();
    assert_eq!(w.script.asked(), ["check true"]);
}

#[tokio::test]
async fn a_version_stays_while_it_is_on_trial() {
    let w = World::new().await;
    two(&w, |m| m).await;
    let release = start(&w, canary(By::Tenants, 1000)).await.unwrap();
    for version in ["1.0.0", "2.0.0"] {
        let id = w.version_of("test.pay", version).await.id;
        let kept = catalogue::remove(&w.app, &w.operator(), id).await.unwrap_err();
        assert_eq!(
            (kept.kind, &kept.extras["reason"]),
            (ProblemKind::Conflict, &json!("release_running"))
        );
    }
    releases::end(&w.app, &w.operator(), &release.id, State::Cancelled, "enough")
        .await
        .unwrap();
    let id = w.version_of("test.pay", "2.0.0").await.id;
    catalogue::remove(&w.app, &w.operator(), id).await.unwrap();
}
