//! Level meters are counted from the truth, inside the transaction that would raise them.

use super::{Exceeded, Plan, QuotaError, meter::USERS};
use aistack_store::{Tenant, TenantTx};

/// Refuses when `adding` more active members would be too many. Call it in the transaction that adds them: a tenant has
/// one business transaction at a time, so nobody slips in between.
///
/// # Errors
/// [`QuotaError::Exceeded`], or as the store.
pub async fn ensure_users(tx: &mut dyn TenantTx, tenant: &Tenant, adding: i64) -> Result<(), QuotaError> {
    let own = tx.usage().overrides().await?.into_iter().find(|o| o.meter == USERS);
    let Some(limit) = own.map_or_else(|| Plan::of(&tenant.plan).limit(USERS), |o| o.limit) else {
        return Ok(());
    };
    let used = tx.users().count_active().await?;
    if used.saturating_add(adding) <= limit {
        return Ok(());
    }
    Err(Exceeded {
        meter: USERS.to_owned(),
        limit,
        used,
        reset_at: None,
        retry_after: None,
        window: None,
    }
    .into())
}
