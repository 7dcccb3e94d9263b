"""The little that has to be known of the binary format: cutting out names and runs of zeros, appending the sections that
the host reads, listing the imports."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: More data segments than this slow the validator down; it refuses 100,000.
_MOST_SEGMENTS = 60_000


def _leb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _signed(data: bytes, at: int) -> tuple[int, int]:
    value, end = _leb(data, at)
    bits = 7 * (end - at)
    return (value - (1 << bits) if value >> (bits - 1) else value), end


def _number(value: int) -> bytes:
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if value == 0:
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def _signed_number(value: int) -> bytes:
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def _sections(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 8
    while at < len(data):
        size, start = _leb(data, at + 1)
        yield data[at], data[start : start + size]
        at = start + size


def _section(kind: int, contents: bytes) -> bytes:
    return bytes([kind]) + _number(len(contents)) + contents


def _name(custom: bytes) -> str:
    length, at = _leb(custom, 0)
    return custom[at : at + length].decode()


def _is_waste(name: str) -> bool:
    return name in ("name", "component-name") or name.startswith(".debug")


def shrink(data: bytes, *, names: bool = False) -> bytes:
    """The same component without names (unless `names`) and without long runs of zeros in its data, at every depth."""
    component = data[6] == 1
    out = [data[:8]]
    sections = list(_sections(data))
    # A count of segments stands where instructions name segments by number: then they stay as they are.
    may_split = all(kind != 12 for kind, _ in sections)
    for kind, contents in sections:
        if kind == 0 and not names and _is_waste(_name(contents)):
            continue
        if component and kind in (1, 4):
            contents = shrink(contents, names=names)
        elif not component and kind == 11 and may_split:
            contents = _split(contents)
        out.append(_section(kind, contents))
    return b"".join(out)


def _segments(data: bytes) -> list[tuple[int, bytes]] | None:
    """Offset and bytes of each segment; None when one is not simply put at a fixed place of the first memory."""
    count, at = _leb(data, 0)
    found = []
    for _ in range(count):
        if data[at] != 0 or data[at + 1] != 0x41:
            return None
        offset, at = _signed(data, at + 2)
        if data[at] != 0x0B:
            return None
        size, at = _leb(data, at + 1)
        found.append((offset, data[at : at + size]))
        at += size
    return found


def _split(data: bytes) -> bytes:
    """Segments without the runs of zeros in them: memory is zero to begin with."""
    segments = _segments(data)
    if segments is None:
        return data
    for shortest in (12, 16, 24, 32, 64, 256):
        run = re.compile(rb"\0{%d,}" % shortest)
        split = []
        for offset, content in segments:
            at = 0
            for zeros in run.finditer(content):
                split.append((offset + at, content[at : zeros.start()]))
                at = zeros.end()
            split.append((offset + at, content[at:]))
        split = [(o, c) for o, c in split if c]
        if len(split) <= max(_MOST_SEGMENTS, len(segments)):
            parts = [b"\0\x41" + _signed_number(o) + b"\x0b" + _number(len(c)) + c for o, c in split]
            return _number(len(parts)) + b"".join(parts)
    return data


def append(data: bytes, name: str, text: str) -> bytes:
    """Appends a custom section."""
    title = name.encode()
    return data + _section(0, _number(len(title)) + title + text.encode())


def imports(data: bytes) -> list[str]:
    """The names of the outermost imports."""
    found = []
    for kind, contents in _sections(data):
        if kind != 10:
            continue
        count, at = _leb(contents, 0)
        for _ in range(count):
            form = contents[at]
            length, start = _leb(contents, at + 1)
            at = start + length
            found.append(contents[start:at].decode())
            if form == 2:  # A third form of names carries the rest of its version behind it.
                rest, at = _leb(contents, at)
                at += rest
            at = _after_type(contents, at)
    return found


def _after_type(contents: bytes, at: int) -> int:
    kind = contents[at]
    at += 1
    if kind == 0x00:
        at += 1
    if kind == 0x03 and contents[at] != 0:
        return at + 1
    return _leb(contents, at + 1 if kind == 0x03 else at)[1]
