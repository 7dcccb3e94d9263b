//! Operations of contract 1 that no use case of the platform calls yet. Authors' tools do, so that a plugin is whole
//! before the platform is: what has no type in the domain comes back as JSON.

use super::{
    bindings::{
        identity::exports::aistack::{core::jobs, identity::directory},
        payment::exports::aistack::payment::settlement,
        types,
    },
    common::Pre,
    convert as c, identity, payment,
};
use crate::{call::Work, host::PluginHost};
use aistack_core::Money;
use aistack_domain::plugins::port::{ExternalSession, Fault, FaultKind, Invocation, Payment, Refund};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

fn no_such(what: &str) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        "no_such_interface",
        format!("reports have no {what}"),
    )
}

/// `$call` on the interface that identity and payment components both export.
macro_rules! on_two_worlds {
    ($pre:expr, $store:expr, $interface:ident, $what:literal, |$i:ident| $call:expr) => {
        match $pre {
            Pre::Identity(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                $call
            }
            Pre::Payment(pre) => {
                let instance = pre.instantiate_async(&mut *$store).await?;
                let $i = instance.$interface();
                $call
            }
            Pre::Report(_) => return Ok(Err(no_such($what))),
        }
    };
}

/// Calls `$f` of one world's `$interface` with the context and the arguments.
macro_rules! of_world {
    ($host:expr, $inv:expr, $op:literal, $world:ident, $interface:ident.$f:ident($($arg:expr),*), $map:expr) => {
        $host.run($inv, $op, Box::new(move |store, pre, context: types::Context| Box::pin(async move {
            let instance = match pre.$world(store).await? { Ok(i) => i, Err(f) => return Ok(Err(f)) };
            let answer = instance.$interface().$f(store, &context, $($arg),*).await?;
            Ok(answer.map_err(c::fault_in).and_then($map))
        }))).await
    };
}

impl PluginHost {
    /// `documents.get`: `{media_type, body_base64, max_age_s}`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn document(&self, inv: Invocation, name: String) -> Result<Value, Fault> {
        let work: Work<Value> = Box::new(move |store, pre, context: types::Context| {
            Box::pin(async move {
                let answer = on_two_worlds!(pre, store, aistack_core_documents, "documents", |i| i
                    .call_get(&mut *store, &context, &name)
                    .await?
                    .map(|d| (d.media_type, d.body, d.max_age_s)));
                Ok(answer.map_err(c::fault_in).map(|(media_type, body, age)| {
                    json!({ "media_type": media_type, "body_base64": STANDARD.encode(body), "max_age_s": age })
                }))
            })
        });
        self.run(inv, "documents.get", work).await
    }

    /// `jobs.start`: `{events, cursor_base64?, more}`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn job(&self, inv: Invocation, name: String, cursor: Option<Vec<u8>>) -> Result<Value, Fault> {
        let work: Work<Value> = Box::new(move |store, pre, context: types::Context| {
            Box::pin(async move {
                let answer = on_two_worlds!(pre, store, aistack_core_jobs, "jobs", |i| i
                    .call_start(&mut *store, &context, &name, cursor.as_deref())
                    .await?
                    .map(|r| jobs::Run {
                        events: r.events,
                        cursor: r.cursor,
                        more: r.more
                    }));
                Ok(answer.map_err(c::fault_in).and_then(|r| {
                    let events: Result<Vec<Value>, Fault> = r.events.iter().map(event).collect();
                    Ok(json!({ "events": events?, "cursor_base64": r.cursor.map(|b| STANDARD.encode(b)), "more": r.more }))
                }))
            })
        });
        self.run(inv, "jobs.start", work).await
    }

    /// `login.renew`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn renew(&self, inv: Invocation, tokens: Value) -> Result<ExternalSession, Fault> {
        let tokens = tokens.to_string();
        of_world!(
            self,
            inv,
            "login.renew",
            identity,
            aistack_identity_login.call_renew(&tokens),
            identity::session_in
        )
    }

    /// `directory.sync`: `{changes, cursor_base64, more, full_snapshot_end}`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn sync(&self, inv: Invocation, full: bool, cursor: Option<Vec<u8>>, limit: u32) -> Result<Value, Fault> {
        of_world!(
            self,
            inv,
            "directory.sync",
            identity,
            aistack_identity_directory.call_sync(full, cursor.as_deref(), limit),
            |page| {
                let changes: Result<Vec<Value>, Fault> = page.changes.into_iter().map(change).collect();
                Ok(json!({
                    "changes": changes?, "cursor_base64": STANDARD.encode(page.cursor), "more": page.more,
                    "full_snapshot_end": page.full_snapshot_end,
                }))
            }
        )
    }

    /// `payments.capture`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn capture(
        &self,
        inv: Invocation,
        payment: Payment,
        amount: Money,
        key: String,
    ) -> Result<Payment, Fault> {
        let (payment, amount) = (payment::payment_out(payment), c::money_out(amount));
        of_world!(
            self,
            inv,
            "payments.capture",
            payment,
            aistack_payment_payments.call_capture(&payment, &amount, &key),
            payment::payment_in
        )
    }

    /// `refunds.fetch`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn refund_fetch(&self, inv: Invocation, payment: Payment, id: String) -> Result<Refund, Fault> {
        let payment = payment::payment_out(payment);
        of_world!(
            self,
            inv,
            "refunds.fetch",
            payment,
            aistack_payment_refunds.call_fetch(&payment, &id),
            payment::refund_in
        )
    }

    /// `settlement.pull`: `{lines, cursor_base64, more, not_ready}`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn settlement(
        &self,
        inv: Invocation,
        kind: String,
        date: String,
        cursor: Option<Vec<u8>>,
    ) -> Result<Value, Fault> {
        of_world!(
            self,
            inv,
            "settlement.pull",
            payment,
            aistack_payment_settlement.call_pull(&kind, &date, cursor.as_deref()),
            |page| {
                let lines: Result<Vec<Value>, Fault> = page.lines.iter().map(line).collect();
                Ok(json!({
                    "lines": lines?, "cursor_base64": STANDARD.encode(page.cursor), "more": page.more,
                    "not_ready": page.not_ready,
                }))
            }
        )
    }
}

fn event(e: &types::Event) -> Result<Value, Fault> {
    let data = c::json_in(&e.data, "event.data")?;
    Ok(json!({ "id": e.id, "kind": e.kind, "occurred_ms": e.occurred_ms, "subject": e.subject, "data": data }))
}

fn change(change: directory::Change) -> Result<Value, Fault> {
    use directory::{Change, EntryKind};
    Ok(match change {
        Change::User((user, enabled)) => json!({ "user": {
            "subject": user.subject, "username": user.username, "email": user.email, "display_name": user.display_name,
            "groups": user.groups, "enabled": enabled,
        } }),
        Change::Group(g) => json!({ "group": {
            "id": g.id, "parent": g.parent, "name": g.name, "extra": c::json_in(&g.extra, "group.extra")?,
        } }),
        Change::Member((group, subject, added)) => {
            json!({ "member": { "group": group, "subject": subject, "added": added } })
        }
        Change::Gone((kind, id)) => {
            let kind = match kind {
                EntryKind::User => "user",
                EntryKind::Group => "group",
            };
            json!({ "gone": { "kind": kind, "id": id } })
        }
    })
}

fn line(line: &settlement::Line) -> Result<Value, Fault> {
    Ok(json!({
        "order_id": line.order_id, "provider_ref": line.provider_ref, "kind": line.kind,
        "gross": c::money_in(&line.gross)?, "fee": c::money_in(&line.fee)?, "net": c::money_in(&line.net)?,
        "occurred_ms": line.occurred_ms, "payout": line.payout, "extra": c::json_in(&line.extra, "line.extra")?,
    }))
}
