//! What each state of a tenant allows, and which change of state is possible. The only place that says so.

use crate::Problem;
use aistack_core::{Permission, ProblemKind, TenantStatus};
use aistack_store::Tenant;

/// What somebody wants to do in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Sign in, keep or end a session.
    SignIn,
    /// Read.
    Read,
    /// Change something.
    Write,
    /// Pay: allowed longer than other changes, because it is the way out of `past_due`.
    Pay,
    /// Call the product through the gateway.
    Gateway,
    /// Deliver a provider's message (webhook).
    Deliver,
}

impl Use {
    /// Every use.
    pub const ALL: [Self; 6] = [
        Self::SignIn,
        Self::Read,
        Self::Write,
        Self::Pay,
        Self::Gateway,
        Self::Deliver,
    ];

    /// The use behind a permission.
    #[must_use]
    pub fn of(permission: Permission) -> Self {
        match permission {
            Permission::SelfManage => Self::SignIn,
            Permission::GatewayCall => Self::Gateway,
            Permission::OrderWrite => Self::Pay,
            p if p.is_read() => Self::Read,
            _ => Self::Write,
        }
    }
}

/// Whether a state allows a use by the tenant's own people and machines.
#[must_use]
pub fn allows(status: TenantStatus, what: Use) -> bool {
    use TenantStatus as S;
    match status {
        S::Active | S::PastDue => true,
        // Reading, paying and hearing what became of a payment; nothing that makes new cost.
        S::ReadOnly | S::Closing => matches!(what, Use::SignIn | Use::Read | Use::Pay | Use::Deliver),
        // A provider's message about money already on its way must not be lost.
        S::Suspended => what == Use::Deliver,
        S::PendingVerification | S::PendingApproval | S::Provisioning | S::Purged => false,
    }
}

/// Whether operators may look into and work in a tenant: as soon as it has a store and as long as it has data.
#[must_use]
pub fn open_to_operators(status: TenantStatus) -> bool {
    use TenantStatus as S;
    matches!(status, S::Active | S::PastDue | S::ReadOnly | S::Suspended | S::Closing)
}

/// Refuses a use that the tenant's state does not allow.
///
/// # Errors
/// `tenant_state_forbids` with the state.
pub fn check(tenant: &Tenant, what: Use, operator: bool) -> Result<(), Problem> {
    let fine = if operator {
        open_to_operators(tenant.status)
    } else {
        allows(tenant.status, what)
    };
    if fine { Ok(()) } else { Err(forbids(tenant.status)) }
}

/// The refusal of something the state does not allow.
pub(super) fn forbids(status: TenantStatus) -> Problem {
    Problem::new(
        ProblemKind::TenantStateForbids,
        format!(
            "the tenant is {}, which does not allow this",
            status.as_str().replace('_', " ")
        ),
    )
    .with("tenant_status", status.as_str())
}

/// Whether a tenant may go from one state to another.
#[must_use]
pub fn may_become(from: TenantStatus, to: TenantStatus) -> bool {
    use TenantStatus as S;
    match from {
        S::PendingVerification => matches!(to, S::PendingApproval | S::Provisioning | S::Purged),
        S::PendingApproval => matches!(to, S::Provisioning | S::Purged),
        S::Provisioning => matches!(to, S::Active | S::Purged),
        S::Active => matches!(to, S::PastDue | S::ReadOnly | S::Suspended | S::Closing),
        S::PastDue => matches!(to, S::Active | S::ReadOnly | S::Suspended | S::Closing),
        S::ReadOnly => matches!(to, S::Active | S::PastDue | S::Suspended | S::Closing),
        S::Suspended => matches!(to, S::Active | S::ReadOnly | S::Closing),
        // Back to what it was before.
        S::Closing => matches!(to, S::Active | S::PastDue | S::ReadOnly | S::Suspended | S::Purged),
        S::Purged => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_matrix() {
        use TenantStatus as S;
        let text = |s: S| {
            Use::ALL
                .map(|u| if allows(s, u) { 'x' } else { '.' })
                .iter()
                .collect::<String>()
        };
        //             sign in, read, write, pay, gateway, deliver
        let expected = [
            (S::PendingVerification, "......"),
            (S::PendingApproval, "......"),
            (S::Provisioning, "......"),
            (S::Active, "xxxxxx"),
            (S::PastDue, "xxxxxx"),
            (S::ReadOnly, "xx.x.x"),
            (S::Suspended, ".....x"),
            (S::Closing, "xx.x.x"),
            (S::Purged, "......"),
        ];
        assert_eq!(S::ALL.len(), expected.len());
        for (status, row) in expected {
            assert_eq!(text(status), row, "{status}");
        }
    }

    #[test]
    fn purged_is_final_and_no_state_leads_to_itself() {
        for from in TenantStatus::ALL {
            assert!(!may_become(*from, *from), "{from}");
            assert!(!may_become(TenantStatus::Purged, *from));
        }
    }
}
