"""What the DNS says of a sender's domain, read from messages as a real library makes them."""

from __future__ import annotations

import socketserver
import struct
import threading
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest

from mstdn.mail.dns_messages import Texts, message_about, understood
from mstdn.mail.facts import SenderRecords
from mstdn.mail.trust import address_of, domain_of, doubts, names
from tests.harness import answer_of

DOMAIN = "mail.example.org"
NONE = Texts((), exists=False)
GOOD = {
    DOMAIN: Texts(("v=spf1 include:spf.example.net ~all", "other")),
    f"_domainkey.{DOMAIN}": Texts(()),
    f"_dmarc.{DOMAIN}": NONE,
    "_dmarc.example.org": Texts(("v=DMARC1; p=none",)),
}


def reply(question: str, records: tuple[str, ...] = (), code: dns.rcode.Rcode = dns.rcode.NOERROR) -> str:
    """What a name server answers to message_about(…), in hexadecimal and without its length."""
    asked = dns.message.from_wire(bytes.fromhex(question)[2:])
    answer = dns.message.make_response(asked)
    answer.set_rcode(code)
    if records:
        answer.answer.append(dns.rrset.from_text(asked.question[0].name, 60, "IN", "TXT", *records))
    return answer.to_wire().hex()


def test_a_question_is_what_name_servers_understand() -> None:
    wire = bytes.fromhex(message_about("_dmarc.example.org"))
    assert struct.unpack(">H", wire[:2])[0] == len(wire) - 2
    (asked,) = dns.message.from_wire(wire[2:]).question
    assert asked.to_text() == "_dmarc.example.org. IN TXT"


def test_answers_are_read_with_the_parts_of_long_records_joined() -> None:
    question = message_about("example.org")
    # The order of records means nothing.
    assert sorted(understood(reply(question, ('"v=spf1 " "-all"', '"a"'))).values) == ["a", "v=spf1 -all"]
    assert understood(reply(question)) == Texts()
    assert understood(reply(question, code=dns.rcode.NXDOMAIN)) == NONE
    with pytest.raises(ValueError, match="code 2"):
        understood(reply(question, code=dns.rcode.SERVFAIL))


@pytest.mark.parametrize("size", range(0, 60, 2))
def test_an_answer_that_is_cut_off_is_an_error_and_no_answer(size: int) -> None:
    whole = reply(message_about("example.org"), ('"v=spf1 -all and so on"',))
    assert len(whole) > 60
    with pytest.raises(ValueError, match="cut off"):
        understood(whole[:size])


def test_the_senders_domain_and_the_names_that_tell_of_it() -> None:
    assert (address_of("Mastodon <a@Mail.example.org>"), domain_of("Mastodon <a@Mail.example.org>")) == (
        "a@Mail.example.org",
        DOMAIN,
    )
    assert domain_of("a@example.org") == "example.org"
    assert names(DOMAIN) == tuple(GOOD)
    assert names("example.org") == ("example.org", "_domainkey.example.org", "_dmarc.example.org")


def test_a_domain_that_others_believe_raises_no_doubts() -> None:
    assert list(doubts(DOMAIN, GOOD)) == []


@pytest.mark.parametrize(
    ("name", "found", "words"),
    [
        (DOMAIN, NONE, "no SPF record"),
        (DOMAIN, Texts(("v=spf1 -all", "v=spf1 ~all")), "2 SPF records"),
        (DOMAIN, Texts(("v=spf1 +all",)), "lets everybody send"),
        (DOMAIN, Texts(("v=spf1 mx",)), "does not end"),
        (f"_domainkey.{DOMAIN}", NONE, "no DKIM key"),
        ("_dmarc.example.org", NONE, "no DMARC policy"),
        ("_dmarc.example.org", Texts(("v=DMARC1; p=none", "v=DMARC1; p=reject")), "2 DMARC records"),
    ],
)
def test_each_doubt_is_told_with_what_to_do(name: str, found: Texts, words: str) -> None:
    (doubt,) = doubts(DOMAIN, {**GOOD, name: found})
    assert words in doubt


def test_an_spf_record_may_lead_to_another() -> None:
    assert list(doubts(DOMAIN, {**GOOD, DOMAIN: Texts(("v=spf1 redirect=_spf.example.net",))})) == []


class NameServer(socketserver.StreamRequestHandler):
    """Knows one SPF record, and answers one question for each connection, in two parts."""

    def handle(self) -> None:
        (size,) = struct.unpack(">H", self.rfile.read(2))
        question = (b"\0\0" + self.rfile.read(size)).hex()
        spf = "_" not in bytes.fromhex(question).decode(errors="replace")
        records = (('"v=spf1 -all" ' + " ".join(['"' + "x" * 250 + '"'] * 4)),) if spf else ()
        answer = bytes.fromhex(reply(question, records, dns.rcode.NOERROR if spf else dns.rcode.NXDOMAIN))
        self.wfile.write(struct.pack(">H", len(answer)) + answer[:5])
        self.wfile.flush()
        self.wfile.write(answer[5:])


def test_the_script_asks_the_servers_own_name_servers_over_tcp(tmp_path: Path) -> None:
    # The first one does not listen.
    (tmp_path / "resolv.conf").write_text("search example.org\nnameserver 127.0.0.2\nnameserver 127.0.0.1\n")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), NameServer) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        port = server.server_address[1]
        instead = {"/etc/resolv.conf)": f"{tmp_path}/resolv.conf)", "$server/53": f"$server/{port}"}
        found = answer_of(SenderRecords.of(names("example.org")), instead=instead)
        server.shutdown()
    assert found == (Texts(("v=spf1 -all" + "x" * 1000,)), NONE, NONE)
