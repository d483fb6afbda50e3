"""Records as zone files write them. Pure, and without any package: settings are read with it."""

from __future__ import annotations

import ipaddress
import re

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "TXT")
# Those whose value ends in a name.
TARGETS = ("CNAME", "MX", "NS")
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
    Name, type and value of "name [ttl] [IN] TYPE value", as RFC 1035 has it. The name is in full, the value of a TXT
    joined and unquoted.

    Raises ValueError that says what is wrong.
    """
    words = re.fullmatch(
        r"\s*(?P<name>\S+)\s+(?:(?:\d+|IN)\s+){0,2}(?P<type>[A-Z]+)\s+(?P<value>\S.*?)\s*",
        line,
        flags=re.DOTALL | re.IGNORECASE,
    )
    kind = words["type"].upper() if words else ""
    if words is None or kind not in TYPES:
        raise ValueError(f"it is not a line of a zone file: name, type ({', '.join(TYPES)}), value")
    name = words["name"].rstrip(".").lower()
    if "." not in name or name == "@":
        raise ValueError("the name must be written in full, down to the domain")
    value = words["value"]
    if not (name.isascii() and (kind not in TARGETS or value.isascii())):
        raise ValueError("a name in it is not in its ASCII form (punycode), which begins with xn--")
    if kind == "TXT":
        if value.startswith('"') and not re.fullmatch(r'("((?:[^"\\]|\\.)*)"\s*)+', value, flags=re.DOTALL):
            raise ValueError("its quotes do not match")
        return name, "TXT", unquoted(value)
    if unfit := _unfit(kind, value):
        raise ValueError(unfit)
    return name, kind, value


def _unfit(kind: str, value: str) -> str | None:
    """Why this is no value of a record of this type, as far as it can be seen; None if it may be one."""
    if kind in ("A", "AAAA"):
        try:
            fits = ipaddress.ip_address(value).version == (4 if kind == "A" else 6)
        except ValueError:
            fits = False
        return None if fits else f"its value is no IPv{4 if kind == 'A' else 6} address"
    if kind == "MX" and not re.fullmatch(r"\d+\s+\S+", value):
        return "its value must be a number and a name, such as 10 mx.example.net"
    target = value.split()[-1]
    if kind in TARGETS and target != "." and "." not in target.rstrip("."):
        return "the name that it leads to must be written in full, down to the domain"
    return None


def line(name: str, kind: str, value: str, ttl: int) -> str:
    """A record as a line that any console or zone file takes."""
    return f"{name}. {ttl} IN {kind} {written(kind, value)}"


def written(kind: str, value: str) -> str:
    """A value as zone files have it: a target without a final dot would be a name within the zone."""
    if kind == "TXT":
        return quoted(value)
    return f"{value.rstrip('.')}." if kind in TARGETS else value
