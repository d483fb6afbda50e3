"""The script of the report, on this machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mstdn.layout import SYSTEM_PLACES
from mstdn.preflight.facts import Server
from tests.harness import answer_of, calls_in, stand_in


def test_the_script_reports_this_machine() -> None:
    report = answer_of(Server.of("/nonexistent/mastodon", "/nonexistent/../proxy", "/swap", "", []))
    memory = re.search(r"^MemTotal:\s+(\d+) kB$", Path("/proc/meminfo").read_text(), flags=re.MULTILINE)
    assert memory is not None
    assert report.memory_mib == int(memory[1]) // 1024
    assert report.directories == ("/nonexistent/mastodon", "/proxy")
    assert [disk.path for disk in report.disks] == [
        "/nonexistent/mastodon",
        "/nonexistent/mastodon/media",
        "/nonexistent/mastodon/database",
        "/swap",
        *SYSTEM_PLACES,
    ]
    assert all(disk.free_mib > 0 for disk in report.disks)
    assert report.installed == {}


def test_the_script_reads_what_was_installed(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "installed.env").write_text(
        "# a note\n\nLOCAL_DOMAIN=a.example.org\nMASTODON_VERSION=v4.7.60\n\n"
    )
    report = answer_of(Server.of(str(tmp_path), "/srv/proxy", "/swap", "", []))
    assert report.installed == {"LOCAL_DOMAIN": "a.example.org", "MASTODON_VERSION": "v4.7.60"}


def test_the_script_reads_which_versions_wrote_what_the_stores_have_to_read(tmp_path: Path) -> None:
    for name, text in (
        ("database/PG_VERSION", b"17\n"),
        ("redis/dump.rdb", b"REDIS0012\xfa\x09redis-ver"),
        ("redis/appendonlydir/appendonly.aof.1.base.rdb", b"REDIS0011\xfa\x09redis-ver"),
        ("state/suite", b"0.2.0 8ae47d5\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text)
    report = answer_of(Server.of(str(tmp_path), "/srv/proxy", "/swap", "", []))
    assert (report.postgres, report.redis) == ("17", 12)


def test_the_script_reads_who_wrote_the_data_of_the_stores(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "suite").write_text("0.2.0 1d1e925\n")
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "PG_VERSION").write_text("17\n")
    files = tmp_path / "redis" / "appendonlydir"
    files.mkdir(parents=True)
    # As Redis writes them: no line ends after the version.
    (files / "appendonly.aof.1.base.rdb").write_bytes(b"REDIS0012\xfa\x09redis-ver\x058.0.2\xff\x00")
    (tmp_path / "redis" / "dump.rdb").write_bytes(b"REDIS0009\xfa\x00")
    report = answer_of(Server.of(str(tmp_path), "/srv/proxy", "/swap", "", []))
    assert (report.postgres, report.redis, report.suite) == ("17", 12, "0.2.0 1d1e925")


@pytest.mark.parametrize(
    ("known", "asked", "answers"),
    [
        ("site.example.org ca.example.org", 1, {"site.example.org": frozenset({"192.0.2.7"})}),
        ("ca.example.org", 3, {"ca.example.org": frozenset({"192.0.2.7"})}),
        ("", 3, {}),
    ],
)
def test_a_name_that_is_there_is_asked_for_where_the_dns_knows_none_of_the_others(
    tmp_path: Path, known: str, asked: int, answers: dict[str, frozenset[str]]
) -> None:
    """asked: for how many names."""
    names = "site.example.org" if asked == 1 else "site.example.org other.example.org"
    getent = f'case " {known} " in *" $4 "*) echo "192.0.2.7 STREAM" ;; *) exit 2 ;; esac'
    path = stand_in(tmp_path, "getent", getent)
    stand_in(tmp_path, "resolvectl", "exit 1")
    question = Server.of(str(tmp_path), "/srv/proxy", "/swap", "ca.example.org", names.split())
    instead: dict[str, str | Path] = {"/etc/resolv.conf": tmp_path / "resolv.conf"}
    assert answer_of(question, path=path, instead=instead).answers == answers
    assert len({call.split()[-1] for call in calls_in(tmp_path)}) == asked


def test_the_script_reads_how_far_an_uninstall_has_come(tmp_path: Path) -> None:
    note = tmp_path / "note"
    question = Server.question(str(tmp_path), "/srv/proxy", "/swap", str(note), "/run", "")
    assert answer_of(question).removing == ()
    note.write_text("social.example.org\ndata\n")
    assert answer_of(question).removing == ("social.example.org", "data")
