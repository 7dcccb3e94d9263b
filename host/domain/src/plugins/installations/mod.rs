//! Plugins enabled in a tenant: their config, secrets and grants.
//!
//! Invariants: a stored config is valid by the schema of its version; stored grants never exceed the manifest;
//! `generation` grows with every change that a call could notice; secrets leave the store only for a call.

mod change;
mod config;
mod enable;
mod reconcile;
mod remove;
mod secret;
mod upgrade;
mod view;

pub(super) use change::apply;
pub use change::{Change, update};
pub(super) use config::guest_config;
pub use enable::{Enable, enable};
pub use reconcile::ReconcileUse;
pub use remove::delete;
pub use secret::put_secret;
pub use upgrade::{Pending, consent, decline, rollback};
pub(super) use upgrade::{came_from, go_back, trial, waits_for};
pub use view::{Available, CallView, InstallationView, available, calls, check, get, list};
pub(crate) use view::{callback_url, endpoint_url};

use crate::TenantCtx;
use aistack_core::{ActorKind, TenantId};
use uuid::Uuid;

/// Longest name of an installation.
const MAX_NAME: usize = 100;

/// Whether the actor may open private hosts to a plugin.
fn is_operator(t: &TenantCtx) -> bool {
    matches!(t.ctx.actor.kind, ActorKind::Operator | ActorKind::System)
}

/// The name, trimmed; `None` when it is empty, too long or has control characters.
fn good_name(name: &str) -> Option<String> {
    let name = name.trim();
    let fine = !name.is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control);
    fine.then(|| name.to_owned())
}

/// The unguessable part of inbound URLs: the tenant (so that a delivery finds its way from any host) and 192 random
/// bits.
fn endpoint_key(tenant: TenantId, random: [u8; 24]) -> String {
    format!("{}{}", tenant.0.simple(), hex::encode(random))
}

/// The tenant an endpoint key names; the rest of the key is checked against the installation.
#[must_use]
pub fn tenant_of_key(key: &str) -> Option<TenantId> {
    let id = key.get(..32).filter(|_| key.len() == 80)?;
    id.bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        .then(|| Uuid::try_parse(id).ok().map(TenantId))
        .flatten()
}
