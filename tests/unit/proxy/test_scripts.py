"""The scripts on the proxy, with a stand-in for docker."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.harness import calls_in, run_script, stand_in


REASON = "[Tue Nov 24 21:00:01 UTC 2026] social.example.org: Invalid status. Verification error details: refused"
# What acme-companion 2.8 with acme.sh 3.1 says of a certificate that is well, and of one that just came.
WELL_SAID = """\
Creating/renewal a.example.org certificates... (a.example.org)
[Tue Nov 24 21:00:02 UTC 2026] Domains not changed.
[Tue Nov 24 21:00:02 UTC 2026] Skipping. Next renewal time is: 2027-01-22T21:00:00Z
[Tue Nov 24 21:00:02 UTC 2026] Add '--force' to force renewal.
"""
NEW_SAID = """\
-----BEGIN CERTIFICATE-----
MIICODCCAb6gAwIBAgIUEHcnm5zJzSYFLhLk7N5u4OhLRskwCgYIKoZIzj0EAwMw
-----END CERTIFICATE-----
2026/11/24 21:00:03 Received event start for container 0123456789ab
Sleep for 3600s
"""


def report(directory: Path, *, log: str, processes: str = "sleep 3600") -> str:
    """What the script says of a proxy whose companion has this log and runs these processes, asked to ask again."""
    (directory / "log").write_text(log)
    path = stand_in(
        directory,
        "docker",
        f'case "$1 $*" in ps\\ *companion*) echo companion ;; top\\ *) echo "{processes}" ;;'
        f" logs\\ *) cat '{directory}/log' ;; esac\n",
    )
    return run_script("proxy/report", "ask", path=path).stdout


def test_the_companions_reason_is_not_lost_among_certificates_that_are_well(tmp_path: Path) -> None:
    said = ProxyReport().process(report(tmp_path, log=f"{REASON}\n{WELL_SAID * 5}{NEW_SAID}").splitlines())
    assert REASON in said.companion


@pytest.mark.parametrize(
    ("processes", "asks"), [("sleep 3600", True), ("/bin/sh /app/acme.sh --log /dev/null --issue", False)]
)
def test_the_companion_is_asked_to_try_again_unless_it_is_at_work(tmp_path: Path, processes: str, asks: bool) -> None:
    report(tmp_path, log=REASON, processes=processes)
    assert ("docker exec companion /app/signal_le_service" in "\n".join(calls_in(tmp_path))) is asks


def reload(directory: Path, *, failures: int) -> subprocess.CompletedProcess[str]:
    """The script, with an nginx that refuses its configuration so many times."""
    path = stand_in(
        directory,
        "docker",
        'case "$*" in *nginx\\ -t*) echo x >>tests; '
        f"[ $(wc -l <tests) -gt {failures} ] || {{ echo '[emerg] no such file' >&2; exit 1; }} ;; esac\n",
    )
    stand_in(directory, "sleep", "")
    return run_script("proxy/reload", directory, path=path)


def test_nginx_is_tested_again_while_docker_gen_still_writes(tmp_path: Path) -> None:
    answer = reload(tmp_path, failures=3)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert calls_in(tmp_path)[-1] == "docker compose kill --signal HUP nginx"


def test_files_that_nginx_refuses_for_good_are_not_loaded(tmp_path: Path) -> None:
    answer = reload(tmp_path, failures=1000)
    assert answer.returncode != 0 and "[emerg] no such file" in answer.stderr
    assert "HUP" not in "\n".join(calls_in(tmp_path))
