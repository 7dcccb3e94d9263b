//! The list of what a hostile plugin may try, line by line: each test carries the number of its line. All of them run
//! beside a good neighbour, another tenant that must not notice. Lines 29 to 34, 38 and 39 need sessions, orders and a
//! directory; they are tested through the API.

mod capability;
mod forge;
mod load;
mod memory;
mod neighbour;
mod network;
mod secrets;
mod state;
mod time;

pub(crate) use neighbour::with_good_neighbour;

use crate::harness::*;
use aistack_core::{InstallationId, TenantId};
use aistack_domain::plugins::port::*;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// An invocation of the identity guest by a tenant and an installation that nobody else is: no breaker but its own.
async fn stranger(b: &Bench) -> Invocation {
    let digest = b.admit("identity").await;
    let mut inv = b.invocation(&digest);
    inv.tenant = TenantId(Uuid::now_v7());
    inv.installation = InstallationId(Uuid::now_v7());
    inv.limits.cpu = Duration::from_millis(200);
    inv
}

/// Runs one act of a stranger; the result and its receipt.
async fn fate(b: &Bench, what: Value, change: impl FnOnce(&mut Invocation)) -> (Result<Value, Fault>, CallReceipt) {
    let mut inv = stranger(b).await;
    change(&mut inv);
    let result = b.ask(inv, what).await;
    (result, b.platform.last())
}
