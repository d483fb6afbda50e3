"""
A sender's address, read as the gem mail reads it.

Mastodon parses SMTP_FROM_ADDRESS while it boots, and takes the first address that it finds for the envelope. What is
accepted and what is found was compared with the gem, version 2.8.1; tests/unit/test_mastodon_stand_in.py has the list.
"""

from __future__ import annotations

import re

# Comments count as space. A bracket, a backslash or an odd quote or parenthesis that is none of these is no token.
_TOKEN = re.compile(
    r"""(?P<space>\s+|\([^()\\]*\))
      | (?P<word>"(?:[^"\\]|\\.)*"|[^\s()<>\[\]:;,\\"@]+)
      | (?P<literal>\[[^\[\]\\]*\])
      | (?P<special>[<>:;,@])""",
    re.VERBOSE,
)

# Over one letter for each token: W a word, L a domain literal, and the special ones as they are. A name may hold @.
_ADDRESS = "W(?:@[WL])?"
_MAILBOX = f"(?:[W@]*<{_ADDRESS}>|{_ADDRESS})"
_SENDER = re.compile(f"(?P<group>W+:)?(?P<first>{_MAILBOX})(?:[,;]{_MAILBOX})*(?(group);)")


class SenderError(Exception):
    """The gem cannot parse this address."""


def envelope_sender(text: str) -> str:
    """
    The first address in `text`, "" where there is none.

    Raises SenderError where the gem raises Mail::Field::IncompleteParseError.
    """
    tokens, position = [], 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _error(text)
        position = token.end()
        if token.lastgroup != "space":
            tokens.append(token)
    if not tokens:
        return ""
    letters = {"word": "W", "literal": "L"}
    shape = "".join(letters.get(str(token.lastgroup), token.group()) for token in tokens)
    match = _SENDER.fullmatch(shape)
    if match is None:
        raise _error(text)
    first = [token.group() for token in tokens[match.start("first") : match.end("first")]]
    return "".join(first[first.index("<") + 1 : -1] if "<" in first else first)


def _error(text: str) -> SenderError:
    return SenderError(f"Mail::Field::IncompleteParseError: Mail::AddressList can not parse |{text}|")
