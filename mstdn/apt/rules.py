"""What apt trusts. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from hashlib import sha1

# RFC 9580: a primary key is the packet with this tag, and begins with the number of its version.
PUBLIC_KEY = 6
VERSION = 4
_BLOCK = rb"-----BEGIN PGP [^\n]*\n(?:[^\n]*: [^\n]*\n)*\s*\n(.*?)-----END PGP"


def fingerprints(keyring: bytes) -> list[str]:
    """
    The fingerprints (40 hexadecimal digits) of the primary keys in a file that apt's Signed-By may name.

    keyring: OpenPGP version 4 keys, with or without ASCII armour. What cannot be read has no fingerprints: gpg would
    need a directory to write in, and a question writes nothing. Source: RFC 9580, sections 4.2 and 5.5.4.
    """
    data = b"".join(_armoured(keyring)) if b"-----BEGIN PGP" in keyring else keyring
    try:
        return [
            sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()
            for tag, body in _packets(data)
            if tag == PUBLIC_KEY and body[0] == VERSION
        ]
    except (IndexError, OverflowError):
        return []


def _armoured(text: bytes) -> Iterator[bytes]:
    """The data of each armoured block. A line that begins with = is its checksum."""
    for block in re.findall(_BLOCK, text, flags=re.DOTALL):
        lines = (line.strip() for line in block.splitlines())
        try:
            yield base64.b64decode(b"".join(line for line in lines if not line.startswith(b"=")))
        except binascii.Error:
            return


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, body) of each packet. Raises IndexError where the data end too early."""
    at = 0
    while at < len(data):
        head, at = data[at], at + 1
        if head & 0x40:
            tag, first = head & 0x3F, data[at]
            if first < 192:
                length, at = first, at + 1
            elif first < 224:
                length, at = (first - 192) * 256 + data[at + 1] + 192, at + 2
            else:
                length, at = int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
        else:
            tag, size = (head & 0x3F) >> 2, 1 << (head & 3)
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise IndexError(at)
        yield tag, data[at : at + length]
        at += length
