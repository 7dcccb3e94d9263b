//! Which version answers a call while a release runs.

use super::{By, Mode, Running};
use crate::{
    App, Ctx, Problem, TenantCtx,
    plugins::{
        calls::{self, Loaded},
        catalogue,
        installations::{self, Change},
    },
};
use aistack_core::ProblemKind;
use sha2::{Digest, Sha256};
use std::sync::{Arc, PoisonError};
use uuid::Uuid;

/// A number below 1000 that stays the same for the same thing under the same release.
fn place(release: &str, of: &[u8]) -> u64 {
    let hash = Sha256::new().chain_update(release).chain_update(of).finalize();
    u64::from_be_bytes(hash[..8].try_into().unwrap_or_default()) % 1000
}

/// What may be otherwise a moment later.
fn passing(kind: ProblemKind) -> bool {
    use ProblemKind as K;
    matches!(
        kind,
        K::Unavailable | K::Internal | K::PluginUnavailable | K::RateLimited
    )
}

impl Running {
    /// Whether this call is the candidate's. Calls of one `flow`, e.g. the steps of a sign-in, stay on one side.
    fn takes(&self, app: &App, t: &TenantCtx, flow: Option<Uuid>) -> bool {
        let r = &self.release;
        let number = match (r.by, flow) {
            (By::Tenants, _) => place(&r.id, t.scope.id().0.as_bytes()),
            (By::Calls, Some(flow)) => place(&r.id, flow.as_bytes()),
            (By::Calls, None) => {
                let mut bytes = [0; 8];
                app.rng.fill(&mut bytes);
                u64::from_be_bytes(bytes) % 1000
            }
        };
        number < u64::from(r.share)
    }

    /// The installation as the candidate sees it; `None` where the candidate can't be used without asking somebody. `ask`
    /// says whether they are asked: what the candidate wants then waits for consent.
    pub(super) async fn variant(&self, app: &App, t: &TenantCtx, loaded: &Loaded, ask: bool) -> Option<Arc<Loaded>> {
        let key = (t.scope.id(), loaded.installation.id);
        // The rules it is made under are part of it: one made while they change is not taken for one made after.
        let made_from = (loaded.installation.generation, loaded.made_under().clone());
        {
            let variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((from, variant)) = variants.get(&key)
                && *from == made_from
                && variant.as_ref().is_none_or(|v| v.powers.ended().is_none())
            {
                return variant.clone();
            }
        }
        let variant = match self.make(app, t, loaded).await {
            Ok(variant) => Some(variant),
            Err(problem) => {
                tracing::info!(release = %self.release.id, installation = %loaded.installation.id, %problem,
                    "the candidate can't be used here");
                if passing(problem.kind) {
                    return None;
                }
                let consent = problem.extras.get("reason").is_some_and(|r| r == "consent_needed");
                if consent
                    && ask
                    && !installations::waits_for(&loaded.installation, &self.release.id)
                    && !self.ask(app, t, loaded).await
                {
                    return None;
                }
                None
            }
        };
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        variants.insert(key, (made_from, variant.clone()));
        variant
    }

    /// Has what the candidate wants wait for consent; whether it does. The call goes on either way.
    async fn ask(&self, app: &App, t: &TenantCtx, loaded: &Loaded) -> bool {
        let system = TenantCtx {
            ctx: Ctx::system(t.ctx.request),
            ..t.clone()
        };
        let change = Change {
            version: Some(self.release.to_version.clone()),
            when_consented: true,
            release: Some(self.release.id.clone()),
            ..Change::default()
        };
        match installations::apply(app, &system, loaded.installation.id, change).await {
            Ok(()) => true,
            Err(problem) => {
                // Somebody else was changing it, or asking too; the next call that this meets tries again.
                tracing::info!(installation = %loaded.installation.id, %problem, "consent could not be asked for");
                false
            }
        }
    }

    async fn make(&self, app: &App, t: &TenantCtx, loaded: &Loaded) -> Result<Arc<Loaded>, Problem> {
        let to = app
            .store
            .platform_read()
            .await?
            .plugins()
            .find_by_digest(&self.release.to_digest)
            .await?;
        let to = to.ok_or_else(|| Problem::not_found("plugin"))?;
        let row = installations::trial(app, t, &loaded.installation, &catalogue::listed(to.clone(), 0)?).await?;
        calls::candidate(app, t, row, to, &self.release.from_digest).await
    }
}

/// What answers this call: the version in use, or the candidate of a release.
pub(in crate::plugins) async fn route(
    app: &App,
    t: &TenantCtx,
    loaded: Arc<Loaded>,
    flow: Option<Uuid>,
) -> Arc<Loaded> {
    let running = {
        let all = app.releases.running();
        let of = |r: &&Arc<Running>| {
            r.release.mode == Mode::Canary
                && *r.release.from_digest == *loaded.digest
                && r.release.plugin_id == loaded.installation.plugin_id
        };
        match all.iter().find(of) {
            Some(running) if loaded.installation.pinned == 0 => Arc::clone(running),
            _ => return loaded,
        }
    };
    if running.takes(app, t, flow)
        // Taken out of service a moment ago: the release ends with the next look around.
        && app.held.reason(&running.release.to_digest).is_none()
        && let Some(variant) = Box::pin(running.variant(app, t, &loaded, true)).await
    {
        return variant;
    }
    loaded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_tenants_is_that_share_and_always_the_same() {
        let tenants: Vec<Uuid> = (0..10_000).map(Uuid::from_u128).collect();
        let taken = |release: &str| {
            let of = |t: &&Uuid| place(release, t.as_bytes()) < 50;
            tenants.iter().filter(of).collect::<Vec<_>>()
        };
        let (one, two) = (taken("rel_1"), taken("rel_2"));
        assert!((400..600).contains(&one.len()), "{} of 10,000 at 5 %", one.len());
        assert_eq!(one, taken("rel_1"));
        assert_ne!(one, two, "not always the same tenants bear it");
    }
}
