//! Who asks, on whose behalf, from where: carried through every use case and written into every audit event.

use aistack_core::{Actor, Permission, RequestId, SessionId, TenantScope};
use aistack_store::Tenant;
use std::{net::IpAddr, sync::Arc};

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address, after trusted proxies.
    pub ip: Option<IpAddr>,
    /// The user agent, cut to 256 characters.
    pub user_agent: Option<String>,
    /// Method and route template, e.g. `POST /api/v1/orders`.
    pub route: Option<String>,
}

/// The context of one request, job or command.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The request; jobs carry the id of the request that caused them.
    pub request: Option<RequestId>,
    /// Who acts.
    pub actor: Actor,
    /// The session used, if any.
    pub session: Option<SessionId>,
    /// What the actor may do.
    pub permissions: Arc<[Permission]>,
    /// Where from.
    pub origin: Origin,
}

impl Ctx {
    /// The platform's own work, optionally caused by a request.
    #[must_use]
    pub fn system(request: Option<RequestId>) -> Self {
        Self {
            request,
            actor: Actor::system(),
            session: None,
            permissions: Permission::ALL.into(),
            origin: Origin::default(),
        }
    }
    /// Whether the actor holds a permission.
    #[must_use]
    pub fn may(&self, p: Permission) -> bool {
        self.permissions.contains(&p)
    }
}

/// A context inside one tenant.
#[derive(Debug, Clone)]
pub struct TenantCtx {
    /// The general context.
    pub ctx: Ctx,
    /// The key to the tenant's data.
    pub scope: TenantScope,
    /// The tenant as it was when the request was routed.
    pub tenant: Arc<Tenant>,
}
