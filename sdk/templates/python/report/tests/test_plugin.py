import unittest

from aistack_sdk import Fault
from aistack_sdk.report import Job
from aistack_sdk.testing import FakeHost, context
from plugin import plugin
from wit_world.imports.datasets import Cell_Text, Column, ColumnKind


def host(config=None):
    day = Column("day", ColumnKind.TEXT, [], "")
    config = {"heading": "January"} if config is None else config
    return FakeHost.for_plugin(__file__, config).with_dataset("usage.daily", [day], [[Cell_Text("2026-01-01")]] * 3)


def job(report="summary", params=None, format="txt"):
    return Job(report, {"from": "2026-01-01"} if params is None else params, format)


class Report(unittest.TestCase):
    def test_counts_the_rows(self):
        platform = host()
        self.assertEqual(plugin.run(platform, context(), job()), {"rows": 3, "files": ["summary.txt"]})
        self.assertEqual(platform.files, {"summary.txt": b"January\nrows: 3\n"})
        self.assertEqual(platform.reported, [50, 90, 100])

    def test_a_cancelled_run_leaves_no_file_behind(self):
        platform = host().cancel_at(0)
        with self.assertRaises(Fault) as raised:
            plugin.run(platform, context(), job())
        self.assertEqual(raised.exception.code, "cancelled")
        self.assertEqual(platform.files, {})

    def test_refuses_what_the_manifest_does_not_offer(self):
        for wrong in [job("other"), job(format="pdf"), job(params={"day": 1}), job(params={"from": 1})]:
            with self.assertRaises(Fault) as raised:
                plugin.run(host(), context(), wrong)
            self.assertEqual(raised.exception.kind, "invalid_input")

    def test_check_says_what_is_wrong(self):
        self.assertTrue(plugin.check(host(), context(), True)[0].ok)
        self.assertFalse(plugin.check(host({}), context(), False)[0].ok)
        empty = FakeHost.for_plugin(__file__, {"heading": "x"})
        self.assertFalse(plugin.check(empty, context(), True)[0].ok)
