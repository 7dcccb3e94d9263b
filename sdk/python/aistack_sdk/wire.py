"""Forms, queries and HTTP messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote

from wit_world.imports.types import HttpRequest, HttpResponse


def form(fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """`name=value&…`."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    return "&".join(f"{quote(str(n), safe='')}={quote(str(v), safe='')}" for n, v in pairs)


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """The URL with fields behind it; it may have a query already."""
    return f"{url}{'&' if '?' in url else '?'}{form(fields)}"


def query_of(url: str) -> str:
    """The query of a URL or of a path, without the question mark."""
    return url.partition("?")[2].partition("#")[0]


def parse_form(query: str) -> list[tuple[str, str]]:
    """The fields of a query or of a form, in order."""
    return parse_qsl(query, keep_blank_values=True, errors="replace")


def request(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | str | dict | list = b""
) -> HttpRequest:
    """A request; a dict or a list becomes JSON, with its content type."""
    lines = [(name, str(value).encode()) for name, value in (headers or {}).items()]
    if isinstance(body, (dict, list)):
        lines.insert(0, ("content-type", b"application/json"))
        body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return HttpRequest(method, url, lines, body.encode() if isinstance(body, str) else body)


def response(status: int, text: str = "") -> HttpResponse:
    """An answer to a delivery."""
    headers = [("content-type", b"text/plain; charset=utf-8")] if text else []
    return HttpResponse(status, headers, text.encode())


def header(message: HttpRequest | HttpResponse, name: str) -> str | None:
    """The value of a header, whatever the case of its name; None when it is absent or no text."""
    for found, value in message.headers:
        if found.lower() == name.lower():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None
