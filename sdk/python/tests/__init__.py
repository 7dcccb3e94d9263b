"""`python3 -m unittest discover -s tests -t .` in `sdk/python`. The types are those of a payment plugin that may do all of its world."""

import sys
import tempfile
from pathlib import Path

SDK = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SDK))

from aistack_build import ready  # noqa: E402

MANIFEST = """\
id = "test.pay"
world = "aistack:payment/payment-provider@1.0"
[grants]
kv = { bytes = "1KiB", keys = 2 }
[[egress]]
kind = "http"
hosts = ["api.example.com", "${config.base}"]
[[secret]]
name = "key"
use = ["http:bearer", "mac:HS256"]
hosts = ["api.example.com"]
"""

_folder = tempfile.TemporaryDirectory(prefix="aistack-test-")
FOLDER = Path(_folder.name)
(FOLDER / "aistack-plugin.toml").write_text(MANIFEST)
ready(FOLDER)
