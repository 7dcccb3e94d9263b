import unittest

from aistack_sdk import Credential, Fault, form, parse_form, request, with_query
from aistack_sdk.testing import FakeHost

from . import FOLDER


class Double(unittest.TestCase):
    def refused(self, code, work):
        with self.assertRaises(Fault) as raised:
            work()
        self.assertEqual(raised.exception.code, code)

    def test_only_granted_hosts_are_reached_and_secrets_go_where_they_are_bound(self):
        host = FakeHost.for_plugin(FOLDER, {"base": "http://other.example:8080/x"}).with_secret("key", "s3cret")
        host.on("GET", "https://api.example.com/a").reply_json(200, {})
        host.on("GET", "http://other.example:8080/a").reply(204)
        key = host.secret("key")

        def send(url, credential=None):
            return host.send(request("GET", url), credential)

        send("https://api.example.com/a", Credential.bearer(key))
        self.assertEqual(host.requests[0].headers["authorization"], "Bearer s3cret")
        self.assertEqual(send("http://other.example:8080/a").status, 204)
        self.refused("host_not_granted", lambda: send("https://evil.example/"))
        self.refused("host_not_granted", lambda: send("https://api.example.com:8443/"))
        self.refused("secret_not_bound", lambda: send("http://other.example:8080/a", Credential.bearer(key)))
        self.refused("use_not_granted", lambda: send("https://api.example.com/a", Credential.basic("u", key)))
        self.refused("unreachable", lambda: send("https://api.example.com/none"))

    def test_key_value_state_expires_and_is_written_once(self):
        host = FakeHost.for_plugin(FOLDER)
        self.assertEqual(host.kv_put("k", b"1", ttl_s=1, if_version=0), 1)
        self.refused("version_mismatch", lambda: host.kv_put("k", b"1", if_version=0))
        host.advance(1000)
        self.assertIsNone(host.kv_get("k"))
        self.assertEqual(host.kv_put("k", b"1", if_version=0), 2)

    def test_macs_are_checked_and_undeclared_powers_refused(self):
        host = FakeHost.for_plugin(FOLDER).with_secret("key", "s3cret")
        tag = host.crypto.mac("HS256", host.secret("key"), b"12")
        self.assertTrue(host.crypto.mac_verify("HS256", host.secret("key"), b"12", tag))
        self.assertFalse(host.crypto.mac_verify("HS256", host.secret("key"), b"12", tag[1:]))
        self.refused("use_not_granted", lambda: host.crypto.mac("HS512", host.secret("key"), b""))
        self.refused("interface_not_declared", lambda: host.open_dataset("d", {}, 0))
        self.refused("unsupported", lambda: host.crypto.sign("RS256", host.secret("key"), b""))
        with self.assertRaisesRegex(ValueError, "declares no secret"):
            host.with_secret("other", "x")

    def test_forms(self):
        self.assertEqual(with_query("https://a/b?c=1", {"d e": "ü&"}), "https://a/b?c=1&d%20e=%C3%BC%26")
        self.assertEqual(parse_form("a=1+2&c&=x"), [("a", "1 2"), ("c", ""), ("", "x")])
        self.assertEqual(form([("a", 1), ("a", "b c")]), "a=1&a=b%20c")
