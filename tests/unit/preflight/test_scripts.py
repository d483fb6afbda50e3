"""The script of the report, on this machine."""

from __future__ import annotations

import re
from pathlib import Path

from mstdn.preflight.facts import Server
from tests.harness import answer_of


def test_the_script_reports_this_machine() -> None:
    report = answer_of(Server.of("/nonexistent/mastodon", "/nonexistent/../proxy", "/swap", []))
    memory = re.search(r"^MemTotal:\s+(\d+) kB$", Path("/proc/meminfo").read_text(), flags=re.MULTILINE)
    assert memory is not None
    assert report.memory_mib == int(memory[1]) // 1024
    assert report.directories == ("/nonexistent/mastodon", "/proxy")
    assert [disk.path for disk in report.disks] == [
        "/nonexistent/mastodon",
        "/nonexistent/mastodon/media",
        "/nonexistent/mastodon/database",
        "/swap",
    ]
    assert all(disk.free_mib > 0 for disk in report.disks)
    assert report.installed == {}


def test_the_script_reads_what_was_installed(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "installed.env").write_text("LOCAL_DOMAIN=a.example.org\nMASTODON_VERSION=v4.7.6\n")
    report = answer_of(Server.of(str(tmp_path), "/srv/proxy", "/swap", []))
    assert report.installed == {"LOCAL_DOMAIN": "a.example.org", "MASTODON_VERSION": "v4.7.6"}


def test_the_script_reads_which_versions_wrote_the_data(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "suite").write_text("0.2.0 aa48b3d\n")
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "PG_VERSION").write_text("17\n")
    (tmp_path / "redis" / "appendonlydir").mkdir(parents=True)
    for name, head in ("dump.rdb", b"REDIS0011"), ("appendonlydir/appendonly.aof.1.base.rdb", b"REDIS0012"):
        (tmp_path / "redis" / name).write_bytes(head + b"\xfa\tredis-ver\x067.2.11")
    report = answer_of(Server.of(str(tmp_path), "/srv/proxy", "/swap", []))
    assert (report.postgres, report.redis, report.suite) == ("17", 12, "0.2.0 aa48b3d")
