"""Payments through a service of your own: `POST /payments` makes one, `GET /payments/{order}` looks it up, and a signed
notification says that it was paid."""

import json
import re
from urllib.parse import quote

from aistack_sdk import Credential, Fault, header, request, response
from aistack_sdk.payment import (
    Action_Redirect,
    Money,
    Payment,
    Status,
    event,
    feature,
    fine,
    outcome,
    payment,
    problem,
)

STATUSES = {"open": Status.ACTION_NEEDED, "paid": Status.PAID, "failed": Status.FAILED}


def service_of(host) -> str:
    url = host.config().get("service_url")
    if not isinstance(url, str):
        raise Fault.invalid_config("config_invalid", "service_url is missing")
    return url


def parse(body: bytes) -> dict:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Fault.provider("answer_unreadable", "the service's answer is no JSON object")
    return found


def call(host, message) -> dict:
    key = Credential.bearer(host.secret("service_key"))
    answer = host.send(message, key, timeout_ms=5000, max_bytes=64 << 10, idempotent=True)
    if answer.status == 404:
        raise Fault.not_found("payment_unknown", "the service has no such payment")
    if answer.status != 200:
        raise Fault.provider("service_refused", f"the service answered {answer.status}")
    return parse(answer.body)


def read(answer: dict) -> Payment:
    """A payment as the service tells it."""
    status, id = STATUSES.get(answer.get("status")), answer.get("id")
    if status is None or not isinstance(id, str) or not id:
        raise Fault.provider(
            "answer_unreadable", "the service's answer is not a payment", outcome_unknown=True
        )
    paid = None
    minor, currency, exponent = (answer.get(name) for name in ("minor", "currency", "exponent"))
    if status is Status.PAID and isinstance(minor, int) and isinstance(currency, str) and isinstance(exponent, int):
        paid = Money(minor, currency, exponent)
    url = answer.get("url")
    action = Action_Redirect(url) if isinstance(url, str) else None
    return payment(id, status, action=action, paid=paid, raw={"status": answer["status"]})


def verify(host, delivery) -> None:
    """HMAC-SHA256 over the raw body, as hex in `x-signature`. The host compares in constant time and knows the keys."""
    wrong = Fault.signature_invalid("signature_mismatch", "the notification is not signed by the service")
    signature = header(delivery, "x-signature") or ""
    if not re.fullmatch("(?:[0-9a-fA-F]{2})+", signature):
        raise wrong
    tag = bytes.fromhex(signature)
    keys = host.secret_versions("notify_key")
    if not any(host.crypto.mac_verify("HS256", key, delivery.body, tag) for key in keys):
        raise wrong


class Pay:
    def describe(self):
        return [feature("payment")]

    def check(self, host, context, deep):
        try:
            url = service_of(host)
            if deep:
                call(host, request("GET", f"{url}/health"))
        except Fault as fault:
            return [problem(fault.message, "/service_url")]
        return [fine()]

    def create(self, host, context, order):
        if order.amount.minor <= 0 or not re.fullmatch("[A-Z]{3}", order.amount.currency):
            raise Fault.invalid_input("amount_invalid", "a positive amount in an ISO 4217 currency is needed")
        body = {
            "order": order.id,
            "minor": order.amount.minor,
            "currency": order.amount.currency,
            "description": order.description,
            "return_url": order.return_url,
        }
        headers = {"idempotency-key": order.idempotency_key}
        message = request("POST", f"{service_of(host)}/payments", headers=headers, body=body)
        try:
            answer = call(host, message)
        except Fault as fault:
            # The service may have acted, whatever came back.
            raise fault.with_unknown_outcome() if fault.kind in ("transport", "provider") else fault
        return read(answer)

    def fetch(self, host, context, order_id, provider_ref):
        return read(call(host, request("GET", f"{service_of(host)}/payments/{quote(order_id, safe='')}")))

    def inbound(self, host, context, endpoint, delivery):
        if endpoint != "notify":
            raise Fault.not_found("no_such_endpoint", f"there is no endpoint {endpoint!r}")
        verify(host, delivery)
        notice = parse(delivery.body)
        data = {
            "status": "paid",
            "provider_ref": notice.get("payment"),
            "paid": {"minor": notice.get("minor"), "currency": notice.get("currency")},
        }
        at = notice.get("at_ms")
        at = at if isinstance(at, int) and at >= 0 else 0
        told = event(str(notice.get("id")), "payment.paid", str(notice.get("order")), data, at)
        return outcome(response(200, "ok"), response(503, "later"), [told])


plugin = Pay()
