"""Which keys a file makes apt trust: those that gpg sees in it, and none that it does not."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn.apt.rules import fingerprints
from tests.unit.apt.keys import (
    ARMOURED_ED25519,
    ARMOURED_RSA,
    ED25519_KEY,
    FINGERPRINT,
    OTHER_FINGERPRINT,
    RSA_KEY,
)

BOTH = [FINGERPRINT, OTHER_FINGERPRINT]


def armoured(key: bytes, *headers: str) -> bytes:
    text = b64encode(key).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    begin, end = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    return "\n".join([begin, *headers, "", *lines, end, ""]).encode()


# The packet of the RSA key: an old header of three bytes, then a body of so many.
BODY = RSA_KEY[3 : 3 + int.from_bytes(RSA_KEY[1:3], "big")]


@pytest.mark.parametrize(
    ("keyring", "found"),
    [
        pytest.param(ARMOURED_RSA, [FINGERPRINT], id="RSA in armour"),
        pytest.param(RSA_KEY, [FINGERPRINT], id="RSA"),
        pytest.param(ARMOURED_ED25519, [OTHER_FINGERPRINT], id="Ed25519 in armour, and its subkey does not count"),
        pytest.param(ED25519_KEY, [OTHER_FINGERPRINT], id="Ed25519"),
        pytest.param(RSA_KEY + ED25519_KEY, BOTH, id="two keys"),
        pytest.param(armoured(RSA_KEY + ED25519_KEY), BOTH, id="two keys in one armour"),
        pytest.param(ARMOURED_RSA + b"\n" + ARMOURED_ED25519, BOTH, id="two keys, each in its armour"),
        pytest.param(b"Docker's key:\n" + ARMOURED_RSA, [FINGERPRINT], id="words before the armour"),
        pytest.param(ARMOURED_RSA.replace(b"\n", b"\r\n"), [FINGERPRINT], id="lines as on Windows"),
        pytest.param(armoured(RSA_KEY, "Version: GnuPG v1", "Comment: a"), [FINGERPRINT], id="armour with headers"),
        pytest.param(b"\xc6\xff" + len(BODY).to_bytes(4, "big") + BODY, [FINGERPRINT], id="new header, five bytes"),
        pytest.param(
            b"\xc6" + (len(BODY) - 192 + 0xC000).to_bytes(2, "big") + BODY, [FINGERPRINT], id="new header, two bytes"
        ),
        pytest.param(b"\x9a" + len(BODY).to_bytes(4, "big") + BODY, [FINGERPRINT], id="old header, four bytes"),
        pytest.param(b"\xcd\x02hi" + RSA_KEY, [FINGERPRINT], id="another packet before it, one byte"),
    ],
)
def test_the_fingerprints_of_all_primary_keys_are_found(keyring: bytes, found: list[str]) -> None:
    assert fingerprints(keyring) == found


@pytest.mark.parametrize(
    "keyring",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>404 Not Found</html>\n", id="a page"),
        pytest.param(RSA_KEY[:-1], id="cut short"),
        pytest.param(RSA_KEY + ED25519_KEY[:100], id="the second cut short"),
        pytest.param(RSA_KEY[:2], id="cut short in its header"),
        pytest.param(ARMOURED_RSA[:-40], id="armour without its end"),
        pytest.param(b"\x98\x00", id="a key without a body"),
        pytest.param(b"\x99" + RSA_KEY[1:3] + b"\x03" + BODY[1:], id="version 3"),
        pytest.param(b"\x99" + RSA_KEY[1:3] + b"\x06" + BODY[1:], id="version 6"),
        pytest.param(b"\x95" + RSA_KEY[1:], id="a secret key"),
        pytest.param(b"\xb9" + RSA_KEY[1:], id="a subkey alone"),
    ],
)
def test_what_is_no_key_has_no_fingerprint(keyring: bytes) -> None:
    assert fingerprints(keyring) == []


@given(st.binary(max_size=200) | st.binary(max_size=50).map(armoured))
def test_no_file_is_an_error(keyring: bytes) -> None:
    assert all(len(each) == 40 for each in fingerprints(keyring))
