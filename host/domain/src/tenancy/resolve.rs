//! Which tenant a request is about: everything that names one is looked up, and all of it has to name the same one.
//!
//! Host names, path, header and token name a tenant; none of them wins over another. Nothing names a default one. A token
//! alone is enough on a base host; the header alone is not, because anybody can send it.

use super::{
    Known,
    routing::{self, HostName},
};
use crate::{App, Problem, access};
use aistack_core::ProblemKind;

/// What a request says about its tenant.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// Its host names: the target's and the Host header's when both are there; at least one.
    pub authorities: Vec<&'a str>,
    /// Its path.
    pub path: &'a str,
    /// Its query, without the question mark.
    pub query: Option<&'a str>,
    /// Every value of `X-Tenant-Id`.
    pub headers: Vec<&'a str>,
    /// Its bearer token. Looked at here only if nothing in the address names a tenant; whoever authenticates compares.
    pub token: Option<&'a str>,
}

/// What a request is about.
#[derive(Debug, Clone)]
pub enum Resolved {
    /// The platform.
    Base,
    /// A tenant.
    Tenant {
        /// Which.
        known: Known,
        /// Whether only the path named it: links then begin with `/t/{slug}`.
        by_path: bool,
        /// The path without the tenant prefix.
        path: String,
    },
    /// A tenant that has another slug now: where the same thing is.
    Moved(String),
}

/// A request that is about nothing we serve, or about two things.
#[derive(Debug, Clone)]
pub struct Astray {
    /// What to answer.
    pub problem: Problem,
    /// The tenant that the address named before the contradiction was found.
    pub addressed: Option<Box<Known>>,
}

impl From<Problem> for Astray {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            addressed: None,
        }
    }
}

/// A tenant, and whether the slug that named it is a former one.
struct Found {
    known: Known,
    former: bool,
}

/// Finds the tenant of a request.
///
/// # Errors
/// `malformed_request`, `unknown_host`, `tenant_not_found`, `tenant_mismatch`, `unauthenticated` for a token that is not
/// good where it alone would name the tenant; or as the store.
pub async fn resolve(app: &App, asked: &Asked<'_>) -> Result<Resolved, Astray> {
    let public_url = &app.config.public_url;
    let mut hosts = Vec::with_capacity(asked.authorities.len());
    for authority in &asked.authorities {
        let name = routing::read_host(public_url, authority)?;
        let found = match &name {
            HostName::Base => None,
            HostName::Slug { slug, .. } => Some(by_slug(app, slug).await?.ok_or_else(routing::unknown_host)?),
            HostName::Foreign(domain) => {
                let known = app.directory.find_by_domain(app, domain).await?;
                let known = known.ok_or_else(routing::unknown_host)?;
                Some(Found { known, former: false })
            }
        };
        hosts.push((name, found));
    }
    let Some((host, by_host)) = hosts.pop() else {
        return Err(Problem::new(ProblemKind::MalformedRequest, "exactly one Host header is needed").into());
    };
    for (_, other) in &hosts {
        if id(other.as_ref()) != id(by_host.as_ref()) {
            return Err(astray(
                "the target and the Host header",
                by_host.as_ref().or(other.as_ref()),
            ));
        }
    }
    let in_path = routing::read_path(asked.path)?;
    let by_path = match &in_path {
        None => None,
        Some((slug, _)) => {
            let found = by_slug(app, slug).await?;
            match (&by_host, found) {
                (Some(host), found) if id(found.as_ref()) != Some(host.known.tenant.id) => {
                    return Err(astray("the host and the path", Some(host)));
                }
                (_, Some(found)) => Some(found),
                (_, None) => return Err(routing::no_such_tenant().into()),
            }
        }
    };
    let only_by_path = by_host.is_none() && by_path.is_some();
    let moved = moved(
        app,
        asked,
        (&host, by_host.as_ref()),
        by_path.as_ref(),
        in_path.as_ref(),
    );
    let known = match by_host.or(by_path) {
        Some(found) => found.known,
        None => match by_token(app, asked).await? {
            Some(known) => known,
            None if asked.headers.is_empty() => return Ok(Resolved::Base),
            // It would have to be a guess whether they may: a header is no proof of anything.
            None => return Err(routing::mismatch("the address and the X-Tenant-Id header").into()),
        },
    };
    let named = |header: &&str| routing::header_names(known.tenant.id, &known.tenant.slug, header);
    if !asked.headers.iter().all(named) {
        return Err(Astray {
            problem: routing::mismatch("the address and the X-Tenant-Id header"),
            addressed: Some(Box::new(known)),
        });
    }
    if let Some(location) = moved {
        return Ok(Resolved::Moved(location));
    }
    Ok(Resolved::Tenant {
        known,
        by_path: only_by_path,
        path: in_path.map_or_else(|| asked.path.to_owned(), |(_, rest)| rest),
    })
}

fn id(found: Option<&Found>) -> Option<aistack_core::TenantId> {
    found.map(|f| f.known.tenant.id)
}

fn astray(what: &str, addressed: Option<&Found>) -> Astray {
    Astray {
        problem: routing::mismatch(what),
        addressed: addressed.map(|f| Box::new(f.known.clone())),
    }
}

/// The tenant with a slug, or the one that gave it up not long ago.
async fn by_slug(app: &App, slug: &str) -> Result<Option<Found>, Problem> {
    if let Some(known) = app.directory.find(app, slug).await? {
        return Ok(Some(Found { known, former: false }));
    }
    let Some(old) = app.store.platform_read().await?.domains().old_slug(slug).await? else {
        return Ok(None);
    };
    if app.clock.now() >= old.redirect_until {
        return Ok(None);
    }
    let known = app.directory.find_by_id(app, old.tenant_id).await?;
    Ok(known.map(|known| Found { known, former: true }))
}

/// The tenant a token belongs to, where the address names none.
async fn by_token(app: &App, asked: &Asked<'_>) -> Result<Option<Known>, Problem> {
    let Some(token) = asked.token else { return Ok(None) };
    let tenant = access::token_tenant(app, token).await?;
    let known = app.directory.find_by_id(app, tenant).await?;
    known.map(Some).ok_or_else(|| {
        Problem::new(
            ProblemKind::Unauthenticated,
            "the access token is not accepted: its tenant is gone",
        )
    })
}

/// Where the same thing is, when a slug that named the tenant is a former one.
fn moved(
    app: &App,
    asked: &Asked<'_>,
    (host, by_host): (&HostName, Option<&Found>),
    by_path: Option<&Found>,
    in_path: Option<&(String, String)>,
) -> Option<String> {
    let host_moved = by_host.is_some_and(|f| f.former);
    if !host_moved && !by_path.is_some_and(|f| f.former) {
        return None;
    }
    let slug = &by_host.or(by_path)?.known.tenant.slug;
    let path = match in_path {
        Some((_, rest)) => format!("/t/{slug}{rest}"),
        None => asked.path.to_owned(),
    };
    let query = asked.query.map(|q| format!("?{q}")).unwrap_or_default();
    let origin = match host {
        HostName::Slug { base, .. } if host_moved => {
            let authority = asked.authorities.last().copied().unwrap_or_default();
            let port = authority.rsplit_once(':').filter(|(_, port)| !port.is_empty());
            let port = port.map(|(_, port)| format!(":{port}")).unwrap_or_default();
            format!("{}://{slug}.{base}{port}", app.config.public_url.scheme())
        }
        _ => String::new(),
    };
    Some(format!("{origin}{path}{query}"))
}
