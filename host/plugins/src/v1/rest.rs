//! Operations of contract 1 that no use case of the platform calls yet. Authors' tools do, so that a plugin is whole
//! before the platform is: what has no type in the domain comes back as JSON.

use super::{
    bindings::{
        identity::exports::aistack::identity::directory,
        payment::exports::aistack::payment::{payments, settlement},
        types,
    },
    common::operation,
    convert as c, identity, payment,
};
use crate::host::PluginHost;
use aistack_core::Money;
use aistack_domain::plugins::port::{ExternalSession, Fault, Invocation, Payment, Refund};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

operation!(pub(super) fn renew(tokens: String) -> ExternalSession
    = "aistack:identity/login#renew"(&tokens), identity::session_in);
operation!(pub(super) fn sync(full: bool, cursor: Option<Vec<u8>>, limit: u32) -> Value
= "aistack:identity/directory#sync"(full, cursor.as_deref(), limit), |page: directory::Page| {
    let changes: Result<Vec<Value>, Fault> = page.changes.into_iter().map(change).collect();
    Ok(json!({
        "changes": changes?, "cursor_base64": STANDARD.encode(page.cursor), "more": page.more,
        "full_snapshot_end": page.full_snapshot_end,
    }))
});
operation!(pub(super) fn capture(payment: payments::Payment, amount: types::Money, key: String) -> Payment
    = "aistack:payment/payments#capture"(&payment, &amount, &key), payment::payment_in);
operation!(pub(super) fn refund_fetch(payment: payments::Payment, id: String) -> Refund
    = "aistack:payment/refunds#fetch"(&payment, &id), payment::refund_in);
operation!(pub(super) fn settlement(kind: String, date: String, cursor: Option<Vec<u8>>) -> Value
= "aistack:payment/settlement#pull"(&kind, &date, cursor.as_deref()), |page: settlement::Page| {
    let lines: Result<Vec<Value>, Fault> = page.lines.iter().map(line).collect();
    Ok(json!({
        "lines": lines?, "cursor_base64": STANDARD.encode(page.cursor), "more": page.more,
        "not_ready": page.not_ready,
    }))
});

impl PluginHost {
    /// `login.renew`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn renew(&self, inv: Invocation, tokens: Value) -> Result<ExternalSession, Fault> {
        self.run(inv, "login.renew", renew(Some((tokens.to_string(),)))).await
    }

    /// `directory.sync`: `{changes, cursor_base64, more, full_snapshot_end}`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn sync(&self, inv: Invocation, full: bool, cursor: Option<Vec<u8>>, limit: u32) -> Result<Value, Fault> {
        self.run(inv, "directory.sync", sync(Some((full, cursor, limit)))).await
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
        let given = (payment::payment_out(payment), c::money_out(amount), key);
        self.run(inv, "payments.capture", capture(Some(given))).await
    }

    /// `refunds.fetch`.
    ///
    /// # Errors
    /// The plugin's fault.
    pub async fn refund_fetch(&self, inv: Invocation, payment: Payment, id: String) -> Result<Refund, Fault> {
        let given = (payment::payment_out(payment), id);
        self.run(inv, "refunds.fetch", refund_fetch(Some(given))).await
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
        self.run(inv, "settlement.pull", settlement(Some((kind, date, cursor))))
            .await
    }
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
