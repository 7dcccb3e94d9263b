//! The routes in memory, compiled for matching.

use crate::{App, Problem};
use aistack_core::{RouteId, TenantId};
use aistack_store::Route;
use arc_swap::ArcSwapOption;
use std::{collections::HashMap, sync::Arc, time::Duration};
use url::Url;

/// Another node's change is seen within this time; one's own at once.
const LIFE: Duration = Duration::from_secs(5);

/// A route, ready for use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Id.
    pub id: RouteId,
    /// Path prefix.
    pub prefix: String,
    /// `http` or `https`, host and port of the upstream; the base path is apart.
    pub origin: Url,
    /// Path in front of everything that is sent; no trailing slash.
    base: String,
    /// Whether the prefix is cut off.
    strip: bool,
    /// Meter counted by one per call.
    pub meter: String,
    /// Time to the first byte of the answer.
    pub timeout: Duration,
}

impl Target {
    /// From a stored row; `None` when its upstream is no longer a URL we can use.
    #[must_use]
    pub fn compile(route: &Route) -> Option<Self> {
        let mut origin = Url::parse(&route.upstream).ok()?;
        let base = origin.path().trim_end_matches('/').to_owned();
        origin.set_path("/");
        matches!(origin.scheme(), "http" | "https").then_some(())?;
        origin.host_str()?;
        Some(Self {
            id: route.id,
            prefix: route.path_prefix.clone(),
            origin,
            base,
            strip: route.strip_prefix != 0,
            meter: route.meter.clone(),
            timeout: Duration::from_millis(u64::try_from(route.timeout_ms).unwrap_or(30_000)),
        })
    }

    /// Host and port of the upstream, as a `Host` field names it.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.origin.authority()
    }

    /// Whether a normalised path belongs to this route: the prefix ends at a segment's end.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        path.strip_prefix(&self.prefix)
            .is_some_and(|rest| rest.is_empty() || self.prefix.ends_with('/') || rest.starts_with('/'))
    }

    /// Path and query to ask the upstream for; `path` is the normalised path that matched.
    #[must_use]
    pub fn path_and_query(&self, path: &str, query: Option<&str>) -> String {
        let rest = if self.strip {
            path.strip_prefix(self.prefix.trim_end_matches('/')).unwrap_or(path)
        } else {
            path
        };
        // Never two slashes at the start: that would read as another host.
        let rest = rest.trim_start_matches('/');
        let query = query.map_or_else(String::new, |q| format!("?{q}"));
        format!("{}/{rest}{query}", self.base)
    }
}

/// The routes at one moment, longest prefix first.
#[derive(Debug, Default)]
struct Snapshot {
    shared: Vec<Arc<Target>>,
    own: HashMap<TenantId, Vec<Arc<Target>>>,
    read: Duration,
}

/// Routes as they are now.
#[derive(Debug, Default)]
pub struct RouteTable {
    current: ArcSwapOption<Snapshot>,
    loading: tokio::sync::Mutex<()>,
}

/// A route that was found.
pub type Known = Arc<Target>;

impl RouteTable {
    /// The route of a normalised path: the longest prefix, and among equals the tenant's own.
    ///
    /// # Errors
    /// When the routes have never been read and can't be.
    pub async fn find(&self, app: &App, tenant: TenantId, path: &str) -> Result<Option<Known>, Problem> {
        let snapshot = self.snapshot(app).await?;
        let first = |list: &[Known]| list.iter().find(|t| t.matches(path)).cloned();
        let own = snapshot.own.get(&tenant).and_then(|list| first(list));
        Ok(match (own, first(&snapshot.shared)) {
            (Some(own), Some(shared)) if shared.prefix.len() > own.prefix.len() => Some(shared),
            (Some(own), _) => Some(own),
            (None, shared) => shared,
        })
    }

    async fn snapshot(&self, app: &App) -> Result<Arc<Snapshot>, Problem> {
        let now = app.clock.monotonic();
        if let Some(current) = self.current.load_full() {
            if now.saturating_sub(current.read) < LIFE {
                return Ok(current);
            }
            // One call refreshes, the others go on with what there is; so they do when the store is away.
            let Ok(_loading) = self.loading.try_lock() else {
                return Ok(current);
            };
            return Ok(self.load(app).await.unwrap_or_else(|problem| {
                tracing::warn!(%problem, "routes can't be read again");
                current
            }));
        }
        let _loading = self.loading.lock().await;
        match self.current.load_full() {
            Some(current) => Ok(current),
            None => self.load(app).await,
        }
    }

    async fn load(&self, app: &App) -> Result<Arc<Snapshot>, Problem> {
        // The clock first: a change made while we read must not be believed to be in it for longer than its age.
        let read = app.clock.monotonic();
        let routes = app.store.platform_read().await?.routes().all().await?;
        let mut snapshot = Snapshot {
            read,
            ..Snapshot::default()
        };
        for route in &routes {
            let Some(target) = Target::compile(route) else {
                tracing::error!(route = %route.id, "a stored route can't be used");
                continue;
            };
            match route.tenant_id {
                None => snapshot.shared.push(Arc::new(target)),
                Some(id) => snapshot.own.entry(id).or_default().push(Arc::new(target)),
            }
        }
        let longest_first = |list: &mut Vec<Known>| list.sort_by_key(|t| std::cmp::Reverse(t.prefix.len()));
        longest_first(&mut snapshot.shared);
        snapshot.own.values_mut().for_each(longest_first);
        let snapshot = Arc::new(snapshot);
        self.current.store(Some(Arc::clone(&snapshot)));
        Ok(snapshot)
    }

    /// Reads the routes again; call it after a commit that changed them.
    ///
    /// # Errors
    /// As the store; then the old routes hold until they can be read.
    pub async fn reload(&self, app: &App) -> Result<(), Problem> {
        let _loading = self.loading.lock().await;
        self.load(app).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aistack_core::Timestamp;

    fn target(prefix: &str, upstream: &str, strip: bool) -> Option<Target> {
        Target::compile(&Route {
            id: RouteId(uuid::Uuid::nil()),
            tenant_id: None,
            path_prefix: prefix.to_owned(),
            upstream: upstream.to_owned(),
            meter: "api.calls".to_owned(),
            strip_prefix: i64::from(strip),
            timeout_ms: 1_000,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        })
    }

    #[test]
    fn prefixes_end_where_segments_end() {
        let t = target("/v1", "http://u", false).unwrap();
        assert!(t.matches("/v1") && t.matches("/v1/x"));
        assert!(!t.matches("/v10") && !t.matches("/v"));
        let t = target("/v1/", "http://u", false).unwrap();
        assert!(t.matches("/v1/") && t.matches("/v1/x") && !t.matches("/v1"));
        assert!(target("/", "http://u", false).unwrap().matches("/anything"));
    }

    #[test]
    fn the_sent_path_is_the_matched_one_behind_the_base() {
        for (prefix, upstream, strip, path, query, sent) in [
            ("/v1/", "http://u", false, "/v1/a", None, "/v1/a"),
            ("/v1/", "http://u/", true, "/v1/a", Some("q=1"), "/a?q=1"),
            ("/v1", "http://u", true, "/v1", None, "/"),
            ("/v1", "http://u/base/", true, "/v1/a/", Some(""), "/base/a/?"),
            ("/v1/", "http://u/base", false, "/v1/a%20b", None, "/base/v1/a%20b"),
            ("/", "http://u/base", true, "/a", None, "/base/a"),
            ("/v1/", "http://u", true, "/v1//evil.example/x", None, "/evil.example/x"),
        ] {
            let t = target(prefix, upstream, strip).unwrap();
            assert_eq!(t.path_and_query(path, query), sent, "{prefix} {upstream} {path}");
        }
    }

    #[test]
    fn a_row_that_is_no_upstream_is_left_out() {
        for bad in ["", "u", "ftp://u", "http://", "unix:/x"] {
            assert!(target("/v1/", bad, false).is_none(), "{bad}");
        }
    }
}
