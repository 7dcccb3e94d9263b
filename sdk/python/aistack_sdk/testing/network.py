"""Outbound HTTP of the double: granted hosts, credentials, the script."""

from __future__ import annotations

import base64
import re
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

from ..faults import Fault


def _authority(value: str) -> str | None:
    url = urlsplit(value if re.match(r"[a-z][a-z0-9+.-]*://", value, re.I) else f"https://{value}")
    try:
        port = url.port or (80 if url.scheme == "http" else 443)
    except ValueError:
        return None
    return f"{url.hostname}:{port}" if url.hostname else None


class Network:
    """Answers from `script`, newest entry first; keeps what was `sent`."""

    def __init__(self, state):
        self.script: list = []
        self.sent: list = []
        self._state = state

    def _hosts(self, listed) -> list[str | None]:
        """The hosts that a list of the manifest stands for."""
        found = []
        for entry in listed or []:
            member = re.fullmatch(r"\$\{config\.([^}]+)\}", entry)
            value = self._state.config.get(member[1], []) if member else entry
            found += [_authority(v) for v in (value if isinstance(value, list) else [value])]
        return found

    def send(self, request, credential, options):
        egress = [e for e in self._state.manifest.get("egress", []) if e["kind"] == "http"]
        granted = [host for e in egress for host in self._hosts(e["hosts"])]
        to = _authority(request.url)
        if to is None:
            raise Fault.invalid_input("url_invalid", f"{request.url} is no URL")
        if to not in granted:
            raise Fault.denied("host_not_granted", f"{to} is not among the granted hosts")
        headers = {name.lower(): value.decode() for name, value in request.headers}
        url, body = request.url, request.body.decode(errors="replace")
        case = type(credential).__name__.removeprefix("Credential_").lower().rstrip("_")
        if case != "none":
            name, handle = credential.value if isinstance(credential.value, tuple) else (None, credential.value)
            value = self._secret(handle, f"http:{'client-cert' if case == 'clientcert' else case}", to)
            pair = f"{quote(name or '', safe='')}={quote(value, safe='')}"
            if case == "bearer":
                headers["authorization"] = f"Bearer {value}"
            elif case == "basic":
                headers["authorization"] = "Basic " + base64.b64encode(f"{name}:{value}".encode()).decode()
            elif case == "header":
                headers[name.lower()] = value
            elif case == "query":
                url += f"{'&' if '?' in url else '?'}{pair}"
            elif case == "form":
                body += f"{'&' if body else ''}{pair}"
        self.sent.append(SimpleNamespace(method=request.method, url=url, headers=headers, body=body))
        found = next((a for m, u, a in self.script if (m, u) == (request.method, request.url)), None)
        if found is None:
            raise Fault.transport("unreachable", f"the script has no {request.method} {request.url}")
        answer = found(request)
        if 0 < options.max_bytes < len(answer.body):
            raise Fault.provider("response_too_large", f"more than {options.max_bytes} bytes")
        return answer

    def _secret(self, handle, use: str, to: str) -> str:
        declared = next(s for s in self._state.manifest["secret"] if s["name"] == handle.name)
        if use not in declared["use"]:
            raise Fault.denied("use_not_granted", f"{handle.name} may not be used as {use}")
        if to not in self._hosts(declared.get("hosts")):
            raise Fault.denied("secret_not_bound", f"{handle.name} is not bound to {to}")
        return handle.value.decode()
