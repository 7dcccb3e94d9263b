"""`aistack:payment/payment-provider`: types of the world, and its exports made from a plugin's methods `describe check
migrate create resume fetch capture cancel refund fetch_refund agree resume_agreement change_agreement fetch_agreement
settlement inbound document job`."""

from __future__ import annotations

import json

from wit_world.exports import agreements, refunds, settlement
from wit_world.exports.payments import (
    Action_Client,
    Action_FormPost,
    Action_None_,
    Action_Qr,
    Action_Redirect,
    Order,
    Payment,
    Status,
)
from wit_world.imports.types import Event, HttpResponse, Money, Outcome

from .guard import Border, as_json
from .worlds import delivery_exports, feature, fine, lifecycle_exports, problem

__all__ = [
    "Action_Client", "Action_FormPost", "Action_None_", "Action_Qr", "Action_Redirect", "Event", "Money", "Order",
    "Outcome", "Payment", "Status", "event", "exports", "feature", "fine", "outcome", "payment", "problem",
]  # fmt: skip


def payment(provider_ref: str, status: Status, *, action=None, raw: dict | None = None, **known) -> Payment:
    """A payment as the provider sees it; what it does not say is left out."""
    return Payment(
        provider_ref=provider_ref,
        status=status,
        action=Action_None_() if action is None else action,
        paid=known.get("paid"),
        fee=known.get("fee"),
        occurred_ms=known.get("occurred_ms"),
        state=known.get("state", b""),
        raw=as_json(raw),
    )


def event(id: str, kind: str, subject: str, data: dict, occurred_ms: int = 0) -> Event:
    """Something the provider told; the platform applies each id once."""
    return Event(id, kind, occurred_ms, subject, as_json(data))


def outcome(ack: HttpResponse, nack: HttpResponse, events: list[Event]) -> Outcome:
    """What a genuine delivery came to."""
    return Outcome(ack, nack, events)


def exports(plugin, host) -> dict[str, type]:
    """What the component exports."""
    border = Border(plugin, host)

    class Payments:
        def create(self, c, order):
            return border.run("create", "payments", Payment, c, order)

        def resume(self, c, payment, back):
            return border.run("resume", "the browser's return", Payment, c, payment, back)

        def fetch(self, c, order_id, provider_ref):
            return border.run("fetch", "looking payments up", Payment, c, order_id, provider_ref)

        def capture(self, c, payment, amount, key):
            return border.run("capture", "captures", Payment, c, payment, amount, key)

        def cancel(self, c, payment, key):
            return border.run("cancel", "cancellation", Payment, c, payment, key)

    class Refunds:
        def create(self, c, payment, refund):
            return border.run("refund", "refunds", refunds.Refund, c, payment, refund)

        def fetch(self, c, payment, id):
            return border.run("fetch_refund", "looking refunds up", refunds.Refund, c, payment, id)

    class Agreements:
        def begin(self, c, agreement, return_url, notify_url, key):
            return border.run("agree", "agreements", agreements.Agreement, c, agreement, return_url, notify_url, key)

        def resume(self, c, agreement, back):
            return border.run("resume_agreement", "agreements", agreements.Agreement, c, agreement, back)

        def change(self, c, agreement, verb, args, key):
            return border.run("change_agreement", "agreements", agreements.Agreement, c, agreement, verb, json.loads(args), key)

        def fetch(self, c, agreement):
            return border.run("fetch_agreement", "agreements", agreements.Agreement, c, agreement)

    class Settlement:
        def pull(self, c, kind, date, cursor):
            return border.run("settlement", "bills", settlement.Page, c, kind, date, cursor)

    own = {"Payments": Payments, "Refunds": Refunds, "Agreements": Agreements, "Settlement": Settlement}
    return {**lifecycle_exports(border), **delivery_exports(border), **own}
