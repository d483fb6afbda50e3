"""
Values encrypted with the instance's three keys, so that a database restored with other keys is seen.

A stand-in for Active Record encryption: the key is derived as Rails derives it (PBKDF2, 65,536 rounds, SHA-256), the
cipher is a keystream of HMAC-SHA256 with a tag, because nothing here has to be read by anybody else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os
import secrets

_NONCE_BYTES = 16
_TAG_BYTES = 32


class DecryptionError(Exception):
    """The value was encrypted with other keys, or changed."""


@functools.cache
def _key() -> bytes:
    password = (
        os.environ["ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY"] + os.environ["ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY"]
    )
    salt = os.environ["ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT"]
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 65_536)


def _mac(label: bytes, content: bytes) -> bytes:
    return hmac.digest(_key(), label + content, "sha256")


def _keystream_xor(nonce: bytes, content: bytes) -> bytes:
    blocks = (len(content) + 31) // 32
    stream = b"".join(_mac(b"stream", nonce + block.to_bytes(8, "big")) for block in range(blocks))
    return bytes(left ^ right for left, right in zip(content, stream, strict=False))


def encrypt(text: str) -> str:
    """The text encrypted, in base64."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    hidden = _keystream_xor(nonce, text.encode())
    return base64.b64encode(nonce + _mac(b"tag", nonce + hidden) + hidden).decode()


def decrypt(value: str) -> str:
    """The text again. Raises DecryptionError."""
    content = base64.b64decode(value)
    nonce, tag = content[:_NONCE_BYTES], content[_NONCE_BYTES : _NONCE_BYTES + _TAG_BYTES]
    hidden = content[_NONCE_BYTES + _TAG_BYTES :]
    if not hmac.compare_digest(tag, _mac(b"tag", nonce + hidden)):
        raise DecryptionError("ActiveRecord::Encryption::Errors::Decryption")
    return _keystream_xor(nonce, hidden).decode()
