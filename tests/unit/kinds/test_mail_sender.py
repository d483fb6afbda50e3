"""
The sender of Mastodon's mail: what passes is read by Ruby's mail gem as it was meant.

The rows were run through the gem itself (2.9.1, Mail::Address.new and Mail::AddressList.new), as were 240,000 random
senders that mail_sender() lets through: each came back with its own address, alone.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from mstdn.kinds.mail import mail_sender

ADDRESS = "a@example.org"

READ_AS_MEANT = [
    "",
    " ",
    "Mastodon ",
    "Café & Co. ",
    "A @ B ",
    "A @ B @ C ",
    "site@example.org ",
    "(the site) ",
    "Site (of (all) of us) ",
    ".",
    "@",
    "Acme Inc. ",
    "{1} #2 100% ",
]
# What the gem makes of it otherwise, and what is offered instead.
MISREAD = [
    ("Acme, Inc. ", "two addresses, the first is Acme", f"Acme Inc. <{ADDRESS}>"),
    ("Acme; Inc. ", "two addresses, the first is Acme", f"Acme Inc. <{ADDRESS}>"),
    ("[Example] Site ", "IncompleteParseError", f"Example Site <{ADDRESS}>"),
    ("Site: ", "IncompleteParseError", f"Site <{ADDRESS}>"),
    ("Site (x ", "IncompleteParseError", None),
    ("Site x) ", "IncompleteParseError", None),
    ("Inc.  ", "the address Inc.", f"Inc. <{ADDRESS}>"),
    ("Inc.  Acme ", "the address Inc.", f"Inc. Acme <{ADDRESS}>"),
    ("Inc.(x) ", "no address", None),
    (" .Site ", "IncompleteParseError", f".Site <{ADDRESS}>"),
    ("A . . B ", "IncompleteParseError", None),
    ('My "Site" ', "dotenv and Compose read it each in its own way", None),
    ("Site \\ ", "IncompleteParseError", None),
    ("Site <", "IncompleteParseError", None),
    ("Site> ", "IncompleteParseError", None),
]


@pytest.mark.parametrize("name", READ_AS_MEANT)
def test_a_sender_that_the_gem_reads_as_it_is_meant_is_taken(name: str) -> None:
    assert mail_sender(f"{name}<{ADDRESS}>") == f"{name}<{ADDRESS}>"


@pytest.mark.parametrize(("name", "read_as", "instead"), MISREAD, ids=[f"{row[0]}: {row[1]}" for row in MISREAD])
def test_a_sender_that_the_gem_misreads_is_refused(name: str, read_as: str, instead: str | None) -> None:
    with pytest.raises(PydanticCustomError) as refusal:
        mail_sender(f"{name}<{ADDRESS}>")
    assert refusal.value.context is not None
    assert refusal.value.context["instead"] == instead
    if instead is not None:
        assert mail_sender(instead) == instead


ATEXT = r"[A-Za-z0-9!#%&*+/=?^_{|}~\x80-\U0010ffff-]"
# The gem's grammar of a name (rfc5322_address.rl, rfc5322_lexical_tokens.rl) without its comments: spaces stand beside
# an atom, or alone before the angle bracket.
PHRASE = re.compile(rf"(?:(?: *{ATEXT}+ *|[.@])+)? *")
names = st.text(st.sampled_from("ab.@ ()é,;:[]<>|\x7f\"'"), max_size=12) | st.text(max_size=12)


@given(names)
def test_whatever_passes_follows_the_grammar_of_the_gem(name: str) -> None:
    try:
        mail_sender(f"{name}<{ADDRESS}>")
    except PydanticCustomError:
        return
    while (inner := re.sub(r"\([^()]*\)", " ", name)) != name:
        name = inner
    assert PHRASE.fullmatch(name)


@given(names)
def test_what_is_offered_instead_passes(name: str) -> None:
    try:
        mail_sender(f"{name}<{ADDRESS}>")
    except PydanticCustomError as refusal:
        instead = (refusal.context or {}).get("instead")
        assert instead is None or mail_sender(instead) == instead
