import hmac
import json
import unittest

from aistack_sdk import Fault, request
from aistack_sdk.payment import Order, Status
from aistack_sdk.testing import FakeHost, context, money
from plugin import plugin

SERVICE = "https://pay.example.test"


def host():
    platform = FakeHost.for_plugin(__file__, {"service_url": SERVICE})
    platform.with_secret("service_key", "key-1").with_secret("notify_key", "key-new", "key-2")
    platform.on("GET", f"{SERVICE}/health").reply_json(200, {})
    made = {"id": "p-1", "status": "open", "url": f"{SERVICE}/p-1"}
    return platform.on("POST", f"{SERVICE}/payments").reply_json(200, made)


def order(amount=None):
    return Order(
        id="ord_1",
        amount=amount or money(500, "USD", 2),
        description="Pro",
        method="",
        payer="{}",
        capture=True,
        return_url="https://acme.example.test/back",
        notify_url="https://acme.example.test/hooks/k/notify",
        expires_ms=None,
        agreement=None,
        idempotency_key="ord_1",
        metadata=[],
        extra="{}",
    )


class Paying(unittest.TestCase):
    def refused(self, work) -> Fault:
        with self.assertRaises(Fault) as raised:
            work()
        return raised.exception

    def test_creates_a_payment_the_same_way_each_time(self):
        platform = host()
        made = plugin.create(platform, context(), order())
        self.assertEqual((made.provider_ref, made.status), ("p-1", Status.ACTION_NEEDED))
        self.assertEqual(made.action.value, f"{SERVICE}/p-1")
        platform.advance(90_000)
        plugin.create(platform, context(), order())
        first, again = platform.requests
        self.assertEqual(first.headers["authorization"], "Bearer key-1")
        self.assertEqual(first.headers["idempotency-key"], "ord_1")
        self.assertEqual(json.loads(first.body)["minor"], 500)
        self.assertEqual(first, again)

    def test_refuses_bad_amounts_before_anything_is_sent(self):
        for minor, currency in [(0, "USD"), (-5, "USD"), (100, "usd"), (100, ""), (1, "XXXX")]:
            platform = host()
            fault = self.refused(lambda: plugin.create(platform, context(), order(money(minor, currency, 2))))
            self.assertEqual(fault.kind, "invalid_input")
            self.assertEqual(platform.requests, [])

    def test_a_lost_answer_leaves_the_outcome_unknown(self):
        platform = host().on("POST", f"{SERVICE}/payments").fail(Fault.transport("connection_lost", "it broke"))
        fault = self.refused(lambda: plugin.create(platform, context(), order()))
        self.assertEqual((fault.kind, fault.outcome_unknown), ("transport", True))

    def test_looks_a_payment_up(self):
        told = {"id": "p-1", "status": "paid", "minor": 500, "currency": "USD", "exponent": 2}
        platform = host().on("GET", f"{SERVICE}/payments/ord_1").reply_json(200, told)
        platform.on("GET", f"{SERVICE}/payments/ord_2").reply(404)
        self.assertEqual(plugin.fetch(platform, context(), "ord_1", None).paid, money(500, "USD", 2))
        self.assertEqual(self.refused(lambda: plugin.fetch(platform, context(), "ord_2", None)).kind, "not_found")

    def test_takes_genuine_deliveries_only(self):
        body = json.dumps(
            {"id": "n-1", "order": "ord_1", "payment": "p-1", "minor": 500, "currency": "USD", "at_ms": 1}
        )

        def delivery(key, sent=body):
            tag = hmac.digest(key.encode(), body.encode(), "sha256").hex()
            return request("POST", "/", headers={"x-signature": tag}, body=sent)

        for key in ("key-2", "key-new"):
            taken = plugin.inbound(host(), context(), "notify", delivery(key))
            self.assertEqual(taken.ack.status, 200)
            self.assertEqual(taken.events[0].subject, "ord_1")
            self.assertEqual(json.loads(taken.events[0].data)["paid"], {"minor": 500, "currency": "USD"})
        unsigned = request("POST", "/", body=body)
        nonsense = request("POST", "/", headers={"x-signature": "xyz"}, body=body)
        changed, empty = delivery("key-2", body + " "), delivery("key-2", "")
        for forged in [delivery("key-3"), changed, empty, unsigned, nonsense]:
            fault = self.refused(lambda: plugin.inbound(host(), context(), "notify", forged))
            self.assertEqual(fault.kind, "signature_invalid")
        fault = self.refused(lambda: plugin.inbound(host(), context(), "other", delivery("key-2")))
        self.assertEqual(fault.kind, "not_found")
