"""`python3 -m unittest` in the plugin's folder."""

import build  # noqa: F401 (puts the SDK on the path)
