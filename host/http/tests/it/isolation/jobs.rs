//! Jobs without the context they were left with: one that names no tenant, a tenant that is not there, or another
//! tenant's thing is dead at once or does nothing, and changes nobody.

use super::{World, things::Things};
use aistack_core::{Isolation, JobId, TenantId};
use aistack_domain::{
    billing::RefreshOrder,
    jobs::{JobError, JobHandler},
    plugins::{installations::ReconcileUse, schedule::RunJob},
    reports::RunReport,
};
use aistack_store::{Job, JobState};
use serde_json::{Value, json};
use std::sync::Arc;

/// A kind of job, and what its payload says about these things.
type Kind = (Arc<dyn JobHandler>, fn(&Things) -> Value);

/// Every kind of job that is a tenant's.
fn kinds() -> [Kind; 4] {
    [
        (Arc::new(RefreshOrder), |t| json!({ "order": t["order"] })),
        (Arc::new(RunReport), |t| json!({ "run": t["run"], "request": null })),
        (Arc::new(ReconcileUse), |t| json!({ "installation": t["installation"] })),
        (
            Arc::new(RunJob),
            |t| json!({ "installation": t["installation"], "job": "sync" }),
        ),
    ]
}

#[tokio::test]
async fn a_job_out_of_its_tenant_does_nothing() {
    let w = World::new(Isolation::Row).await;
    let states = async || {
        let app = &w.p.app;
        let uses = app.store.platform_read().await.unwrap().plugins().uses(&w.digest).await;
        (w.acme.state(&w.p).await, w.rival.state(&w.p).await, uses.unwrap())
    };
    let before = states().await;
    for (handler, payload) in kinds() {
        let job = |tenant_id: Option<TenantId>, things: &Things| Job {
            id: JobId::new(&*w.p.app.clock, &*w.p.app.rng),
            tenant_id,
            kind: handler.kind().to_owned(),
            payload: payload(things).to_string(),
            state: JobState::Running,
            attempts: 1,
            max_attempts: 3,
            run_at: w.p.app.clock.now(),
            lease_until: None,
            last_error: None,
            created_at: w.p.app.clock.now(),
            updated_at: w.p.app.clock.now(),
        };
        let kind = handler.kind();
        let stripped = handler.run(&w.p.app, &job(None, &w.acme.things)).await;
        assert!(matches!(stripped, Err(JobError::Fatal(_))), "{kind}: {stripped:?}");
        let nobody = TenantId::new(&*w.p.app.clock, &*w.p.app.rng);
        for (whose, tenant) in [("nobody's", nobody), ("another's", w.rival.scope.id())] {
            let done = handler.run(&w.p.app, &job(Some(tenant), &w.acme.things)).await;
            assert!(
                matches!(done, Ok(()) | Err(JobError::Fatal(_))),
                "{kind} in {whose} name is tried again: {done:?}"
            );
        }
        assert!(before == states().await, "{kind} changed something");
    }
}
