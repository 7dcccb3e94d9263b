//! Live streams (server-sent events): what just happened, at most once a second per thing.
//!
//! A stream tells pages that there is something to read again; it is not where they read it. So it may merge events, and
//! may lose some when the reader is slow: then it says `{"resync": true}`. Streams end after some minutes, which makes
//! the browser come back and show its session again.

use super::overview::Overview as OverviewBody;
use crate::{
    Caller,
    extract::OperatorCtx,
    registry::{Access, Routes},
    state::AppState,
};
use aistack_core::{Permission, TenantId};
use aistack_domain::{Ctx, live::LiveEvent, overview};
use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use utoipa_axum::routes;

/// Events are merged for so long.
const BEAT: Duration = Duration::from_secs(1);
/// A sign of life comes at least this often, for proxies and pages alike.
const HEARTBEAT: u32 = 15;
/// A stream is over after this.
const LONGEST: Duration = Duration::from_secs(600);
/// Different things told in one second; more, and the page had better read everything again.
const MOST: usize = 50;
/// Unchanged figures are sent this often all the same, in seconds.
const FIGURES: u32 = 5;

/// Routes of this area.
pub(in crate::routes) fn routes() -> Routes {
    Routes::new()
        .add(Access::tenant(Permission::UsageRead), routes!(tenant_live))
        .add(Access::platform(Permission::PlatformMonitor), routes!(platform_live))
}

/// What a reader may hear.
#[derive(Clone)]
struct Ears {
    tenant: Option<TenantId>,
    topics: Vec<&'static str>,
}

impl Ears {
    fn of(ctx: &Ctx, tenant: Option<TenantId>) -> Self {
        let topics: &[(&'static str, Permission)] = match tenant {
            Some(_) => &[
                ("usage", Permission::UsageRead),
                ("audit", Permission::AuditRead),
                ("order", Permission::OrderRead),
                ("report", Permission::ReportRead),
            ],
            None => &[("audit", Permission::PlatformAuditRead)],
        };
        let may = topics.iter().filter(|(_, p)| ctx.may(*p));
        Self {
            tenant,
            topics: may.map(|(topic, _)| *topic).collect(),
        }
    }
    fn hear(&self, event: &LiveEvent) -> bool {
        event.tenant == self.tenant && self.topics.contains(&event.topic)
    }
}

/// Events of one beat, merged by what they are about.
#[derive(Default)]
struct Merged {
    events: BTreeMap<(&'static str, String), Value>,
    lost: bool,
}

impl Merged {
    fn add(&mut self, event: LiveEvent) {
        let about = ["id", "meter"].iter().find_map(|k| event.data[k].as_str());
        let key = (event.topic, about.unwrap_or_default().to_owned());
        if self.events.len() >= MOST && !self.events.contains_key(&key) {
            self.lost = true;
            return;
        }
        let mut data = event.data;
        // Quantities add up, of everything else the newest counts.
        if let Some(before) = self.events.get(&key).and_then(|d| d["quantity"].as_i64())
            && let Some(now) = data["quantity"].as_i64()
        {
            data["quantity"] = json!(before.saturating_add(now));
        }
        self.events.insert(key, data);
    }

    /// What to send, and an empty beginning.
    fn take(&mut self, topics: &[&'static str]) -> Vec<(&'static str, Value)> {
        let merged = std::mem::take(self);
        if merged.lost {
            return topics.iter().map(|t| (*t, json!({ "resync": true }))).collect();
        }
        merged
            .events
            .into_iter()
            .map(|((topic, _), data)| (topic, data))
            .collect()
    }
}

/// What happens in the tenant: `usage`, `audit`, `order`, `report` (as far as the caller may see them) and `heartbeat`.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", operation_id = "tenant_live", responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn tenant_live(State(state): State<AppState>, caller: Caller, headers: HeaderMap) -> Response {
    let ears = Ears::of(&caller.ctx, caller.tenant.map(|t| t.scope.id()));
    stream(&state, ears, &headers)
}

/// What happens on the platform: `overview`, `audit` and `heartbeat`.
#[utoipa::path(get, path = "/api/v1/platform/live", tag = "live", operation_id = "platform_live", responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn platform_live(State(state): State<AppState>, OperatorCtx(ctx): OperatorCtx, headers: HeaderMap) -> Response {
    stream(&state, Ears::of(&ctx, None), &headers)
}

fn stream(state: &AppState, ears: Ears, headers: &HeaderMap) -> Response {
    let (out, events) = mpsc::channel(64);
    // Whoever comes back has missed something: its pages read again. Where it left off does not matter.
    let again = headers.contains_key("last-event-id");
    tokio::spawn(tell(state.clone(), ears, again, out));
    let mut response = Sse::new(ReceiverStream::new(events).map(Ok::<_, Infallible>)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
    // For nginx in front of us, which would collect events otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

async fn tell(state: AppState, ears: Ears, again: bool, out: mpsc::Sender<Event>) {
    let mut bus = state.app.live.subscribe();
    let mut stopping = state.site.stopping.clone();
    let mut teller = Teller {
        state,
        ears,
        out,
        merged: Merged {
            lost: again,
            ..Merged::default()
        },
        beats: 0,
        figures: None,
    };
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = Instant::now() + LONGEST;
    loop {
        tokio::select! {
            heard = bus.recv() => match heard {
                Ok(event) if teller.ears.hear(&event) => teller.merged.add(event),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => teller.merged.lost = true,
                Err(RecvError::Closed) => return,
            },
            _ = beat.tick() => if teller.beat().await.is_none() { return },
            () = async { drop(stopping.wait_for(|stop| *stop).await) } => return,
            () = teller.out.closed() => return,
            () = sleep(end.saturating_duration_since(Instant::now())) => return,
        }
    }
}

struct Teller {
    state: AppState,
    ears: Ears,
    out: mpsc::Sender<Event>,
    merged: Merged,
    beats: u32,
    /// Last figures sent, and in which beat.
    figures: Option<(Arc<overview::Overview>, u32)>,
}

impl Teller {
    /// `None` when nobody listens any more.
    async fn beat(&mut self) -> Option<()> {
        for (topic, data) in self.merged.take(&self.ears.topics) {
            self.send(topic, &data).await?;
        }
        if self.ears.tenant.is_none() {
            self.figures().await?;
        }
        if self.beats.is_multiple_of(HEARTBEAT) {
            self.send("heartbeat", &json!({ "at": self.state.app.clock.now() }))
                .await?;
        }
        self.beats = self.beats.wrapping_add(1);
        Some(())
    }

    async fn figures(&mut self) -> Option<()> {
        let now = match overview::overview(&self.state.app).await {
            Ok(now) => now,
            Err(problem) => {
                tracing::warn!(%problem, "figures can't be read");
                return Some(());
            }
        };
        let due = self.figures.as_ref().is_none_or(|(last, sent)| {
            let same = overview::Overview {
                node: now.node.clone(),
                ..(**last).clone()
            } == *now;
            !same || self.beats.wrapping_sub(*sent) >= FIGURES
        });
        if !due {
            return Some(());
        }
        let body = serde_json::to_value(OverviewBody::from(&*now)).unwrap_or_default();
        self.figures = Some((now, self.beats));
        self.send("overview", &body).await
    }

    async fn send(&self, topic: &str, data: &Value) -> Option<()> {
        let event = Event::default()
            .event(topic)
            .id(self.state.app.clock.now().as_micros().to_string())
            .data(data.to_string());
        self.out.send(event).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(topic: &'static str, data: Value) -> LiveEvent {
        LiveEvent {
            tenant: None,
            topic,
            data,
        }
    }

    #[test]
    fn a_second_of_events_is_merged_by_what_they_are_about() {
        let mut m = Merged::default();
        m.add(event(
            "usage",
            json!({ "meter": "api.calls", "quantity": 2, "used": 5 }),
        ));
        m.add(event(
            "usage",
            json!({ "meter": "api.calls", "quantity": 3, "used": 8 }),
        ));
        m.add(event("usage", json!({ "meter": "ai.tokens", "quantity": 1 })));
        m.add(event("order", json!({ "id": "ord_1", "status": "pending" })));
        m.add(event("order", json!({ "id": "ord_1", "status": "paid" })));
        let sent = m.take(&["usage", "order"]);
        assert_eq!(
            sent,
            [
                ("order", json!({ "id": "ord_1", "status": "paid" })),
                ("usage", json!({ "meter": "ai.tokens", "quantity": 1 })),
                ("usage", json!({ "meter": "api.calls", "quantity": 5, "used": 8 })),
            ]
        );
        assert!(m.take(&["usage"]).is_empty());
    }

    #[test]
    fn a_flood_becomes_one_word_per_topic() {
        let mut m = Merged::default();
        for n in 0..=MOST {
            m.add(event("audit", json!({ "id": n.to_string() })));
        }
        assert_eq!(
            m.take(&["usage", "audit"]),
            [
                ("usage", json!({ "resync": true })),
                ("audit", json!({ "resync": true }))
            ]
        );
    }

    #[test]
    fn nobody_hears_of_others_or_of_what_they_may_not_see() {
        use aistack_core::Role;
        let mut ctx = Ctx::system(None);
        ctx.permissions = Permission::ALL
            .iter()
            .copied()
            .filter(|p| Role::Member.allows(*p))
            .collect();
        let (ours, theirs) = (TenantId(uuid::Uuid::from_u128(1)), TenantId(uuid::Uuid::from_u128(2)));
        let ears = Ears::of(&ctx, Some(ours));
        let hears = |tenant, topic| {
            ears.hear(&LiveEvent {
                tenant,
                ..event(topic, json!({}))
            })
        };
        assert!(hears(Some(ours), "usage"));
        assert!(!hears(Some(ours), "audit"), "members may not read the audit log");
        assert!(!hears(Some(theirs), "usage") && !hears(None, "usage"));
    }
}
