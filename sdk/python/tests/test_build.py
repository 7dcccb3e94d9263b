import tempfile
import unittest
from pathlib import Path

from aistack_build import wasm, world


def header(component: bool) -> bytes:
    return b"\0asm" + (b"\x0d\0\1\0" if component else b"\1\0\0\0")


def section(kind: int, contents: bytes) -> bytes:
    return wasm._section(kind, contents)


class World(unittest.TestCase):
    def manifest(self, name, **more):
        return {"world": f"aistack:{name}@1.0", **more}

    def test_what_is_declared_decides_what_is_imported(self):
        bare = self.manifest("identity/identity-provider")
        self.assertEqual(world.imports(bare), ["log", "config", "clock", "random", "crypto"])
        secret = [{"name": "k", "use": ["reveal"]}]
        egress = [{"kind": "http"}, {"kind": "dial"}]
        full = self.manifest("identity/identity-provider", grants={"kv": {}}, secret=secret, egress=egress)
        more = ["random", "kv", "secrets", "reveal", "crypto", "http", "dial"]
        self.assertEqual(world.imports(full), ["log", "config", "clock", *more])
        greedy = self.manifest("payment/payment-provider", secret=secret, egress=egress)
        self.assertFalse({"reveal", "dial"} & set(world.imports(greedy)))
        self.assertIn("download", world.imports(greedy, ["download"]))

    def test_what_a_world_does_not_have_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "does not have the interface http"):
            world.imports(self.manifest("report/report-generator"), ["http"])
        with self.assertRaisesRegex(SystemExit, "is unknown; it is one of"):
            world.imports(self.manifest("other/thing"))

    def test_without_secrets_only_their_type_is_left(self):
        manifest = self.manifest("identity/identity-provider")
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work) / "wit"
            world.write(manifest, world.imports(manifest), folder)
            secrets = (folder / "deps/host/secrets.wit").read_text()
            self.assertIn("resource secret;", secrets)
            self.assertNotIn("open: func", secrets)
            self.assertNotIn("versions: func", secrets)


class Wasm(unittest.TestCase):
    def test_names_go_and_zeros_are_cut_at_every_depth(self):
        def data(*segments):
            parts = [b"\0\x41" + wasm._signed_number(o) + b"\x0b" + wasm._number(len(c)) + c for o, c in segments]
            return section(11, wasm._number(len(parts)) + b"".join(parts))

        module = header(False) + data((64, b"ab" + b"\0" * 200 + b"c" + b"\0" * 4 + b"d"))
        module = wasm.append(wasm.append(module, "name", "n" * 300), "kept", "k")
        wanted = wasm.append(header(False) + data((64, b"ab"), (266, b"c\0\0\0\0d")), "kept", "k")
        given = wasm.append(header(True) + section(1, module), "component-name", "x")
        self.assertEqual(wasm.shrink(given), header(True) + section(1, wanted))
        self.assertIn(b"n" * 300, wasm.shrink(given, names=True))

    def test_segments_that_are_not_simply_put_somewhere_stay(self):
        for body in [b"\1\1\1a", b"\1\0\x23\0\x0b\1a", b"\1\0\x41\0\x41\1\x6a\x0b\1a"]:
            module = header(False) + section(11, body)
            self.assertEqual(wasm.shrink(module), module)
        counted = header(False) + section(12, b"\1") + section(11, b"\1\0\x41\0\x0b\x20" + b"\0" * 32)
        self.assertEqual(wasm.shrink(counted), counted)

    def test_signed_numbers(self):
        for value in (0, 1, 63, 64, -1, -64, -65, 8191, 8192, 2**31 - 1, -(2**31)):
            self.assertEqual(wasm._signed(wasm._signed_number(value), 0)[0], value)

    def test_imports_behind_every_kind_of_description(self):
        entries = [(b"a:b/c@1.0.0", b"\5\0"), (b"f", b"\1\x80\1"), (b"t", b"\3\1"), (b"u", b"\3\0\2"), (b"m", b"\0\x11\0")]
        body = bytes([len(entries)]) + b"".join(b"\0" + bytes([len(n)]) + n + d for n, d in entries)
        names = [n.decode() for n, _ in entries]
        self.assertEqual(wasm.imports(header(True) + section(10, body)), names)
