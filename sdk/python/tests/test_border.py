import unittest

from aistack_sdk import Fault, Host
from aistack_sdk.payment import Event, Money, Status, exports, payment
from aistack_sdk.testing import FakeHost, context
from componentize_py_types import Err
from wit_world.imports import types

from . import FOLDER


class Plugin:
    def __init__(self, **methods):
        self.__dict__.update(methods)


def made(**methods):
    host = FakeHost.for_plugin(FOLDER)
    return host, exports(Plugin(**methods), host)


class Border(unittest.TestCase):
    def fault(self, call) -> types.Fault:
        with self.assertRaises(Err) as raised:
            call()
        return raised.exception.value

    def test_operations_that_a_plugin_does_not_have_are_unsupported(self):
        _, world = made()
        for call in [
            lambda: world["Refunds"]().create(context(), None, None),
            lambda: world["Jobs"]().start(context(), "x", None),
        ]:
            self.assertIs(self.fault(call).kind, types.Kind.UNSUPPORTED)
        self.assertEqual(world["Lifecycle"]().migrate(context(), "0.1.0", '{"a":1}'), '{"a":1}')

    def test_an_exception_becomes_a_fault_and_a_line_of_the_log_with_its_place(self):
        def create(host, context, order):
            return {}["missing"]

        host, world = made(create=create)
        fault = self.fault(lambda: world["Payments"]().create(context(), None))
        self.assertEqual((fault.kind, fault.code), (types.Kind.INTERNAL, "exception"))
        self.assertRegex(fault.message, r"^KeyError: 'missing' \(.*test_border\.py:\d+ in create\)$")
        self.assertEqual(host.logs[0], ("error", fault.message, {"operation": "create"}))

    def test_faults_pass_with_all_they_say(self):
        told = Fault.rate_limited("slow", "later", retry_after_ms=5, user_message="Wait").with_unknown_outcome()

        def create(*_):
            raise told

        _, world = made(create=create)
        fault = self.fault(lambda: world["Payments"]().create(context(), None))
        self.assertEqual((fault.code, fault.retry_after_ms, fault.outcome_unknown), ("slow", 5, True))
        self.assertEqual(Fault.from_wit(Err(fault)).user_message, "Wait")

    def test_results_of_the_wrong_type_say_which_member_is_wrong(self):
        good = payment("p", Status.PAID, paid=Money(5, "USD", 2))
        _, world = made(create=lambda *_: good)
        self.assertIs(world["Payments"]().create(context(), None), good)
        for wrong, message in [
            (None, "what create returns has to be Payment and is None"),
            (payment(7, Status.PAID), "create returns.provider_ref has to be str and is 7"),
            (payment("p", "paid"), "returns.status has to be Status and is 'paid'"),
            (payment("p", Status.PAID, paid=Money("5", "USD", 2)), "returns.paid.minor has to be int and is '5'"),
            (payment("p", Status.PAID, occurred_ms=True), "returns.occurred_ms has to be int and is True"),
            (payment("p", Status.PAID, action="there"), "returns.action is 'there'; it is one of Action_Redirect"),
        ]:
            _, world = made(create=lambda *_: wrong)
            self.assertIn(message, self.fault(lambda: world["Payments"]().create(context(), None)).message)
        bad = types.Outcome(types.HttpResponse(200, [], b""), types.HttpResponse(503, [], b""), [Event("e", "k", "x", "s", "{}")])
        _, world = made(inbound=lambda *_: bad)
        fault = self.fault(lambda: world["Inbound"]().handle(context(), "e", None))
        self.assertIn("returns.events[0].occurred_ms has to be int and is 'x'", fault.message)

    def test_check_reports_an_exception_as_a_finding(self):
        _, world = made(check=lambda *_: 1 / 0)
        finding = world["Lifecycle"]().check(context(), False)[0]
        self.assertFalse(finding.ok)
        self.assertIn("ZeroDivisionError", finding.message)

    def test_an_interface_that_is_not_declared_is_refused_by_name(self):
        with self.assertRaises(Fault) as raised:
            Host({}).kv_get("k")
        self.assertEqual(raised.exception.code, "interface_not_declared")
