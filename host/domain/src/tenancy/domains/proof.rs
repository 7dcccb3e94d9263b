//! The proof that a tenant controls a domain: a TXT record with the token that was made for this tenant and domain.

use super::watch;
use crate::{
    App, Ctx, Problem,
    audit::{self, Draft},
    port::LookupError,
    tenancy::{Known, manage::tell_tenant},
};
use aistack_core::ProblemKind;
use aistack_store::{DomainStatus, TenantDomain};
use serde_json::json;
use std::time::Duration;

/// How soon the DNS is asked again for the same domain because somebody wants it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the record has to be.
#[must_use]
pub fn challenge_name(domain: &str) -> String {
    format!("_aistack-challenge.{domain}")
}

/// What it has to say.
#[must_use]
pub fn challenge_value(token: &str) -> String {
    format!("aistack-verification={token}")
}

/// Why the proof was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// There is no such record.
    Missing,
    /// There are records, but none of them says it.
    Wrong,
    /// The DNS servers of the domain do not work.
    ServerFailure,
    /// They do not answer.
    Timeout,
    /// The answer could not be had or read.
    Failed,
}

impl Miss {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::Missing,
        Self::Wrong,
        Self::ServerFailure,
        Self::Timeout,
        Self::Failed,
    ];

    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "txt_missing",
            Self::Wrong => "txt_wrong",
            Self::ServerFailure => "dns_failure",
            Self::Timeout => "dns_timeout",
            Self::Failed => "dns_unreadable",
        }
    }

    /// A sentence.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Missing => "there is no TXT record at this name yet",
            Self::Wrong => "there is a TXT record at this name, but with another value",
            Self::ServerFailure => "the name servers of this domain answer with an error",
            Self::Timeout => "the name servers of this domain do not answer",
            Self::Failed => "the name servers could not be asked",
        }
    }
}

/// Asks the DNS for the proof.
pub(super) async fn look(app: &App, domain: &str, token: &str) -> Result<(), Miss> {
    let wanted = challenge_value(token);
    match app.resolver.txt(&challenge_name(domain)).await {
        Ok(records) if records.iter().any(|r| r.as_slice() == wanted.as_bytes()) => Ok(()),
        Ok(records) if records.is_empty() => Err(Miss::Missing),
        Ok(_) => Err(Miss::Wrong),
        Err(LookupError::NoSuchName | LookupError::NoRecords) => Err(Miss::Missing),
        Err(LookupError::ServerFailure) => Err(Miss::ServerFailure),
        Err(LookupError::Timeout) => Err(Miss::Timeout),
        Err(LookupError::Failed(why)) => {
            tracing::warn!(domain, why, "the DNS could not be asked");
            Err(Miss::Failed)
        }
    }
}

fn not_proven(domain: &str, token: &str, miss: Miss) -> Problem {
    Problem::new(
        ProblemKind::Conflict,
        format!("the domain is not proven: {}", miss.message()),
    )
    .with("reason", miss.code())
    .hint(format!(
        "publish a TXT record {} with the value {}; new records can take an hour to be seen",
        challenge_name(domain),
        challenge_value(token)
    ))
}

/// Looks for the proof now, because somebody asks.
///
/// # Errors
/// `not_found`, `rate_limited` when it was looked for a moment ago, `conflict` when the proof is not there or another
/// tenant has proven the domain; or as the store.
pub async fn verify(app: &App, ctx: &Ctx, known: &Known, domain: &str) -> Result<TenantDomain, Problem> {
    let tenant = known.tenant.id;
    let missing = || Problem::not_found("domain of this tenant");
    let row = app.store.platform_read().await?.domains().get(tenant, domain).await?;
    let row = row.ok_or_else(missing)?;
    let asked = app.clock.now();
    if let Some(wait) = row
        .checked_at
        .and_then(|at| PATIENCE.checked_sub(asked.since(at)))
        .filter(|w| !w.is_zero())
    {
        return Err(Problem::new(
            ProblemKind::RateLimited,
            "the DNS was asked for this domain a moment ago; try again in a few seconds",
        )
        .with("retry_after", wait.as_secs().max(1)));
    }
    let seen = look(app, domain, &row.token).await;
    let now = app.clock.now();
    if let Err(miss) = seen {
        let after = watch::missed(&row, miss, now);
        watch::keep(app, ctx, known, &row, after).await?;
        return Err(not_proven(domain, &row.token, miss));
    }
    if row.status == DomainStatus::Verified {
        let after = watch::found(&row, now);
        watch::keep(app, ctx, known, &row, after.clone()).await?;
        return Ok(after);
    }
    let mut tx = app.store.platform().await?;
    let current = tx.domains().get(tenant, domain).await?.ok_or_else(missing)?;
    // Somebody may have removed and added it again meanwhile: then another token counts.
    if current.token != row.token {
        return Err(Problem::new(
            ProblemKind::Conflict,
            "the domain changed meanwhile; look at it again",
        ));
    }
    let holder = tx.domains().routed(domain).await?;
    if holder.is_some_and(|h| h.tenant_id != tenant) {
        return Err(Problem::new(
            ProblemKind::Conflict,
            "another tenant of this platform has proven this domain",
        )
        .with("reason", "verified_elsewhere")
        .hint("it has to be removed there first; if that is not possible, ask the platform's operators"));
    }
    let was = current.status;
    let verified = watch::found(&current, now);
    tx.domains().update(&verified).await?;
    let draft = Draft::new("domain.verified", "domain", domain).details(json!({ "tenant": tenant, "from": was }));
    audit::commit_platform(app, tx, ctx, draft.clone()).await?;
    app.directory.forget(&known.tenant.slug);
    tell_tenant(app, ctx, &known.tenant, draft).await?;
    Ok(verified)
}
