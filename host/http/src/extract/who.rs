//! The caller, as the guard found them.

use crate::{layers::Caller, problem::ApiProblem};
use aistack_domain::{Ctx, Problem, TenantCtx};
use axum::extract::FromRequestParts;
use http::request::Parts;

/// The context on the platform; for routes of `Realm::Platform`.
#[derive(Debug, Clone)]
pub struct OperatorCtx(pub Ctx);

/// The context inside the routed tenant; for routes of `Realm::Tenant`. Anonymous on public routes.
#[derive(Debug, Clone)]
pub struct InTenant(pub TenantCtx);

fn caller(parts: &Parts) -> Result<&Caller, ApiProblem> {
    parts
        .extensions
        .get()
        .ok_or_else(|| ApiProblem(Problem::internal("a handler outside the registry")))
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiProblem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        caller(parts).cloned()
    }
}

impl<S: Sync> FromRequestParts<S> for OperatorCtx {
    type Rejection = ApiProblem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        let caller = caller(parts)?;
        if caller.tenant.is_some() {
            return Err(Problem::internal("a platform handler inside a tenant").into());
        }
        Ok(Self(caller.ctx.clone()))
    }
}

impl<S: Sync> FromRequestParts<S> for InTenant {
    type Rejection = ApiProblem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        let tenant = caller(parts)?.tenant.clone();
        tenant
            .map(Self)
            .ok_or_else(|| Problem::internal("a tenant's handler outside a tenant").into())
    }
}
