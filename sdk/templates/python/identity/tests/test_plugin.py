import unittest
from urllib.parse import parse_qs, urlsplit

from aistack_sdk import Fault, request
from aistack_sdk.identity import Input_Fields, Input_Http, Input_Poll, Start, Step_Done
from aistack_sdk.testing import FakeHost, context
from plugin import plugin

SERVICE = "https://accounts.example.test"
START = Start("https://acme.example.test/callback", "test", None, None, "login", "{}")


def host(config=None):
    person = {"id": "42", "login": "zhang", "email": "zhang@example.test"}
    platform = FakeHost.for_plugin(__file__, {"service_url": SERVICE} if config is None else config)
    platform.with_secret("service_key", "key-1")
    platform.on("GET", f"{SERVICE}/health").reply_json(200, {})
    return platform.on("POST", f"{SERVICE}/exchange").reply_json(200, person)


def back(query):
    return Input_Http(request("GET", f"/callback?{query}"))


class Identity(unittest.TestCase):
    def test_signs_in(self):
        platform = host()
        begun = plugin.begin(platform, context(), START)
        url = urlsplit(begun.step.value)
        query = parse_qs(url.query)
        self.assertEqual(f"{url.scheme}://{url.netloc}{url.path}", f"{SERVICE}/authorize")
        self.assertEqual(query["redirect_uri"], [START.return_url])
        done = plugin.resume(platform, context(), begun.state, back(f"code=c0de&state={query['state'][0]}"))
        self.assertIsInstance(done.step, Step_Done)
        person = done.step.value.user
        self.assertEqual((person.subject, person.username, person.email_verified), ("42", "zhang", False))
        self.assertEqual(platform.requests[0].headers["authorization"], "Bearer key-1")
        self.assertEqual(platform.requests[0].body, "code=c0de")

    def test_no_two_sign_ins_look_alike(self):
        platform = host()
        one, two = (plugin.begin(platform, context(), START) for _ in range(2))
        self.assertNotEqual(one.step.value, two.step.value)
        self.assertNotEqual(one.state, two.state)

    def test_refuses_whatever_comes_back_without_being_right(self):
        platform = host()
        state = plugin.begin(platform, context(), START).state
        for held, input in [
            (state, back("")),
            (state, back("code=stolen")),
            (state, back("code=stolen&state=wrong")),
            (state, back("state=%FF%00&code=%00&code=2")),
            (state, back("error=access_denied")),
            (state, Input_Poll()),
            (state, Input_Fields([])),
            (b"", back("code=1&state=1")),
            (b"{}", back("code=1&state=1")),
            (b"\xff\xfe", back("code=1&state=1")),
        ]:
            with self.assertRaises(Fault) as raised:
                plugin.resume(platform, context(), held, input)
            self.assertNotEqual(raised.exception.kind, "internal")
        self.assertEqual(platform.requests, [])

    def test_check_says_what_is_wrong(self):
        self.assertTrue(plugin.check(host(), context(), True)[0].ok)
        self.assertFalse(plugin.check(host({}), context(), False)[0].ok)
        down = host().on("GET", f"{SERVICE}/health").fail(Fault.transport("unreachable", "no route"))
        finding = plugin.check(down, context(), True)[0]
        self.assertEqual((finding.ok, finding.field, finding.message), (False, "/service_url", "no route"))
