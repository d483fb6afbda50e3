"""Records: how they are written, compared, respected and refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn.cloud.errors import ProvisionError
from mstdn.dns.rules import caa_refusal, canonical, change_of, record_set, suffixes
from mstdn.dns.wishes import Among, Exactly, IfNone, equal_texts, merged_spf, site_wishes
from mstdn.dns.zone_file import line, parse_line, quoted, unquoted


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=700))
def test_a_text_is_the_same_after_quoting_and_unquoting(text: str) -> None:
    assert unquoted(quoted(text)) == text
    strings = re.findall(r'"((?:[^"\\]|\\\d{3}|\\.)*)"', quoted(text))
    assert all(len(re.findall(r"\\\d{3}|\\.|[^\\]", string)) <= 255 for string in strings)


def test_a_long_text_is_cut_into_strings_of_255() -> None:
    assert [len(string) for string in quoted("x" * 400).split()] == [257, 147]
    assert quoted("") == '""'


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        (
            'k._domainkey.example.org. 3600 IN TXT "v=DKIM1; " "p=AB"',
            ("k._domainkey.example.org", "TXT", "v=DKIM1; p=AB"),
        ),
        ("example.org. MX 10 mx.example.net.", ("example.org", "MX", "10 mx.example.net.")),
        ("Bounce.Example.org CNAME sparkpostmail.com.", ("bounce.example.org", "CNAME", "sparkpostmail.com.")),
        ("example.org. TXT v=spf1 -all", ("example.org", "TXT", "v=spf1 -all")),
        ('example.org. 300 in txt "p=A"', ("example.org", "TXT", "p=A")),
        ("example.org. IN 300 MX 10 mx.example.net.", ("example.org", "MX", "10 mx.example.net.")),
    ],
)
def test_a_line_of_a_zone_file_is_read(text: str, parsed: tuple[str, str, str]) -> None:
    assert parse_line(text) == parsed


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("example.org.", "it is not a line of a zone file"),
        ("example.org. SPF x", "it is not a line of a zone file"),
        ("@ TXT x", "must be written in full"),
        ("k1 TXT x", "must be written in full"),
        ('example.org. TXT "open', "quotes do not match"),
        ("k._domainkey.b\u00fccher.example. TXT x", "not in its ASCII form"),
        ("b.example.org. CNAME b\u00fccher.example.", "not in its ASCII form"),
        ("b.example.org. CNAME mail", "leads to must be written in full"),
        ("example.org. MX mx.example.net.", "a number and a name"),
        ("a.example.org. A 2001:db8::1", "no IPv4 address"),
        ("a.example.org. AAAA 192.0.2.1", "no IPv6 address"),
    ],
)
def test_what_is_no_line_of_a_zone_file_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        parse_line(text)


def test_a_line_can_be_read_again() -> None:
    assert parse_line(line("a.example.org", "TXT", "x" * 300, 60)) == ("a.example.org", "TXT", "x" * 300)


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("CNAME", "sparkpostmail.com", "sparkpostmail.com."),
        ("CNAME", "sparkpostmail.com.", "sparkpostmail.com."),
        ("MX", "10 mx.example.net", "10 mx.example.net."),
        ("A", "192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_name_that_a_line_leads_to_ends_in_a_dot(kind: str, value: str, written: str) -> None:
    """Without it, a zone file takes it for a name within the zone: sparkpostmail.com.example.org."""
    assert line("b.example.org", kind, value, 60) == f"b.example.org. 60 IN {kind} {written}"


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("AAAA", "2001:DB8:0::7", "2001:db8::7"),
        ("CNAME", "Old.Example.net.", "old.example.net"),
        ("MX", "10  mx.example.net.", "10 MX.example.net"),
        ("CAA", '0 ISSUE "a.example"', "0 issue a.example"),
    ],
)
def test_equal_values_are_equal_in_canonical_form(kind: str, one: str, other: str) -> None:
    assert canonical(kind, one) == canonical(kind, other)


def test_the_order_of_values_and_the_ttl_are_no_drift() -> None:
    wanted = record_set("a.example.org", "A", ["192.0.2.1", "192.0.2.2"], 300)
    found = record_set("A.example.org.", "A", ["192.0.2.2", "192.0.2.1"], 60)
    assert change_of(wanted, [found], replace=False, task="") is None


def test_the_names_that_can_be_zones_end_above_the_top_level() -> None:
    assert suffixes("a.b.example.org") == ["a.b.example.org", "b.example.org", "example.org"]


def test_spaces_and_order_of_a_dkim_key_mean_nothing() -> None:
    assert equal_texts("v=DKIM1; k=rsa; p=AB CD", "k=rsa;p=ABCD")
    assert not equal_texts("v=DKIM1; p=ABCD", "v=DKIM1; p=ABCE")
    wish = Exactly(record_set("k._domainkey.example.org", "TXT", ["v=DKIM1; k=rsa; p=ABCD"], 300))
    found = record_set(wish.name, "TXT", ["k=rsa; p=AB CD"], 300)
    assert wish.change([found], replace=False, task="") is None
    with pytest.raises(ProvisionError, match="has a TXT record already"):
        wish.change([record_set(wish.name, "TXT", ["p=other"], 300)], replace=False, task="")


@pytest.mark.parametrize(
    ("present", "merged"),
    [
        ("v=spf1 mx -all", "v=spf1 mx include:a.example -all"),
        ("v=spf1 include:a.example ~all", "v=spf1 include:a.example ~all"),
        ("v=spf1 redirect=b.example", "v=spf1 include:a.example redirect=b.example"),
        ("v=spf1 +include:a.example -all", "v=spf1 +include:a.example -all"),
        ("v=spf1 Include:A.Example ?all", "v=spf1 Include:A.Example ?all"),
    ],
)
def test_what_an_spf_record_lacks_comes_before_its_end(present: str, merged: str) -> None:
    assert merged_spf(present, "v=spf1 include:a.example -all") == merged


def test_a_text_joins_those_that_are_there() -> None:
    wish = Among(record_set("example.org", "TXT", ["v=spf1 include:a.example -all"], 300))
    found = record_set("example.org", "TXT", ["site-verification=1"], 3600)
    change = wish.change([found], replace=False, task="")
    assert change is not None and change.add is not None
    assert change.remove == (found,)
    assert set(change.add.values) == {"site-verification=1", "v=spf1 include:a.example -all"} and change.add.ttl == 3600


def test_what_the_owner_has_is_respected() -> None:
    wish = IfNone(record_set("_dmarc.example.org", "TXT", ["v=DMARC1; p=none"], 300))
    cname = record_set("_dmarc.example.org", "CNAME", ["dmarc.example.net"], 300)
    assert wish.change([cname], replace=True, task="") is None
    assert wish.change([], replace=False, task="") is not None


def test_a_server_without_ipv6_wants_no_aaaa() -> None:
    kinds = [type(wish).__name__ for wish in site_wishes(["a.example.org"], "192.0.2.1", None, "", 300)]
    assert kinds == ["Exactly", "NoIpv6"]
    assert len(site_wishes(["a.example.org"], "192.0.2.1", "2001:db8::1", "", 300)) == 2


@pytest.mark.parametrize(
    "values",
    [
        (),
        ('0 iodef "mailto:a@example.org"',),
        ('0 issuewild ";"',),
        ('0 issue "letsencrypt.org"', '0 issue "digicert.com"'),
        ('0 issue "LetsEncrypt.org; accounturi=https://x"',),
        ('0 issue "letsencrypt.org; validationmethods=http-01,dns-01"',),
    ],
)
def test_caa_records_that_let_lets_encrypt_issue_are_fine(values: tuple[str, ...]) -> None:
    assert caa_refusal("example.org", values) is None
