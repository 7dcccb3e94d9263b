//! Operations of contract 1 that no use case of the platform calls yet. Authors' tools do, so that a plugin is whole
//! before the platform is: what has no type in the domain comes back as JSON.

use super::{
    bindings::{
        identity::exports::aistack::identity::directory, payment::exports::aistack::payment::settlement, types,
    },
    convert as c, identity, payment,
};
use crate::host::PluginHost;
use aistack_core::Money;
use aistack_domain::plugins::port::{ExternalSession, Fault, Invocation, Payment, Refund};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

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
