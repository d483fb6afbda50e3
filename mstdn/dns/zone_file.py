"""Records as zone files write them. Pure, and without any package: settings are read with it."""

from __future__ import annotations

import re

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "TXT")
STRING_BYTES = 255
# A byte in decimal, after a backslash.
BYTE = r"\\(?:[01]\d\d|2[0-4]\d|25[0-5])"


def quoted(text: str) -> str:
    """
    A TXT value in quotes, cut into the strings of at most 255 bytes that the DNS has (RFC 1035, 3.3.14).

    A DKIM key of 2048 bits has about 400 characters; sent as one string, Route 53 refuses it and others cut it off.
    """
    data = text.encode(errors="surrogateescape")
    pieces = [data[start : start + STRING_BYTES] for start in range(0, len(data), STRING_BYTES)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, piece))}"' for piece in pieces)


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03d}"


def unquoted(value: str) -> str:
    """
    The text of a TXT value: its strings joined. A value without quotes is taken as it is.

    Bytes that are no UTF-8 become surrogates, which quoted() makes the same bytes again; see legible().
    """
    if not value.startswith('"'):
        return value
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', value, flags=re.DOTALL)
    data = b"".join(_bytes(string) for string in strings)
    return data.decode(errors="surrogateescape")


def legible(text: str) -> str:
    """The text for a person: no terminal takes surrogates."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _bytes(string: str) -> bytes:
    parts = re.findall(rf"{BYTE}|\\.|[^\\]", string, flags=re.DOTALL)
    return b"".join(
        bytes([int(part[1:])]) if re.fullmatch(BYTE, part) else part.removeprefix("\\").encode(errors="surrogateescape")
        for part in parts
    )


def parse_line(line: str) -> tuple[str, str, str]:
    """
    Name, type and value of "name [ttl] [IN] TYPE value"; the name in full, the value of a TXT joined and unquoted.

    Raises ValueError that says what is wrong.
    """
    words = re.fullmatch(
        r"\s*(?P<name>\S+)\s+(?:\d+\s+)?(?:IN\s+)?(?P<type>[A-Z]+)\s+(?P<value>\S.*?)\s*", line, flags=re.DOTALL
    )
    if words is None or words["type"] not in TYPES:
        raise ValueError(f"it is not a line of a zone file: name, type ({', '.join(TYPES)}), value")
    name = words["name"].rstrip(".").lower()
    if "." not in name or name == "@":
        raise ValueError("the name must be written in full, down to the domain")
    value = words["value"]
    if words["type"] == "TXT":
        if value.startswith('"') and not re.fullmatch(r'("((?:[^"\\]|\\.)*)"\s*)+', value, flags=re.DOTALL):
            raise ValueError("its quotes do not match")
        return name, "TXT", unquoted(value)
    return name, words["type"], value


def line(name: str, kind: str, value: str, ttl: int) -> str:
    """A record as a line that any console or zone file takes."""
    return f"{name}. {ttl} IN {kind} {quoted(value) if kind == 'TXT' else value}"
