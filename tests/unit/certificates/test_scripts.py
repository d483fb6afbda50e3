"""The scripts on certificates, with real certificates in a directory of the proxy."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

from mstdn.certificates.facts import CertificateFiles, CertificateStates
from mstdn.certificates.rules import DAY
from mstdn.docker.engine import CONTAINER
from tests.harness import answer_of, calls_in, listing, run_script, stand_in

NAME = "social.example.org"


def make_certificate(certificate: Path, key: Path, *names: str, days: int = 90) -> None:
    for path in (certificate, key):
        path.parent.mkdir(parents=True, exist_ok=True)
    alternatives = ",".join(f"DNS:{name}" for name in names)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=test", "-addext", f"subjectAltName={alternatives}", "-days", str(days)]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)


@pytest.fixture(name="proxy")
def _proxy(tmp_path: Path) -> Path:
    """The proxy's root, with a certificate that is kept, installed and linked, and programs that find no engine."""
    proxy = tmp_path / "proxy"
    kept = proxy / "acme" / "admin@example.org" / NAME
    make_certificate(kept / "fullchain.cer", kept / f"{NAME}.key", NAME, "www.example.org")
    for name in (f"{NAME}.cer", "ca.cer"):
        (kept / name).write_text(f"{name}\n")
    (proxy / "conf.d").mkdir()
    (proxy / "conf.d" / "default.conf").write_text("server {}\n")
    (proxy / "certs").mkdir()
    assert run_script("certificates/install", proxy, "", NAME).returncode == 0
    for suffix, file in ((".crt", "fullchain.pem"), (".key", "key.pem")):
        (proxy / "certs" / f"{NAME}{suffix}").symlink_to(f"./{NAME}/{file}")
    stand_in(tmp_path, "timeout", '[ "$2" != openssl ] || exit 1; shift; exec "$@"')
    return proxy


# What the engine says where all four run that look after certificates, the youngest for 100 seconds.
PS = listing(a="proxy/nginx", b="mstdn/nginx", c="proxy/acme-companion", d="proxy/docker-gen")
EACH = 'echo "${each%=*} 7 $(date -u -d "-${each#*=} seconds" +%FT%TZ) 443/tcp,. {}"'
STARTED = f"for each in a=100 b=200 c=200 d=200; do {EACH}; done"
RUNNING = f"case $1 in ps) {PS} ;; inspect) {STARTED} ;; esac"
REFUSED = RUNNING.replace("esac", "*) exit 1 ;; esac")


def look(proxy: Path, docker: str = "") -> CertificateFiles:
    stand_in(proxy.parent, "systemctl", "echo loaded; echo active")
    path = stand_in(proxy.parent, "docker", docker)
    processes = proxy.parent / "processes"
    return answer_of(CertificateStates.of(str(proxy), "", [NAME]), path=path, instead={"/proc/": f"{processes}/"})


def nginx_processes(proxy: Path, *worker_seconds: float, late: float = 0.3) -> None:
    """
    A master 7 and its workers, started so many seconds after it. late: by how much later the engine says of the master
    that it started than the kernel does.
    """
    processes = proxy.parent / "processes"
    for process, ticks in enumerate((5000, *(5000 + round(seconds * 100) for seconds in worker_seconds)), 7):
        (processes / str(process)).mkdir(parents=True)
        (processes / str(process) / "stat").write_text(f"{process} (nginx: a) b) S 1 {'0 ' * 17}{ticks} 0 0\n")
    (processes / "7" / "task" / "7").mkdir(parents=True)
    workers = range(8, 8 + len(worker_seconds))
    (processes / "7" / "task" / "7" / "children").write_text("".join(f"{worker} " for worker in workers))
    (processes / "uptime").write_text(f"{150 + late} 1.0\n")


def judged_anew(proxy: Path) -> bool:
    """Whether nginx itself was asked about its configuration, which takes a process in its container."""
    assert look(proxy, RUNNING).configuration == "accepted"
    return any("nginx -t -q" in call for call in calls_in(proxy.parent))


def read_at(proxy: Path, seconds_ago: float) -> None:
    """Let all that nginx reads have been written so long ago."""
    (proxy / "nginx.conf").write_text("")
    for directory in ("vhost.d", "htpasswd"):
        (proxy / directory).mkdir()
    for path in [proxy / "nginx.conf", *(each for name in READ for each in (proxy / name, *(proxy / name).rglob("*")))]:
        os.utime(path, (time.time() - seconds_ago,) * 2, follow_symlinks=False)


READ = ("conf.d", "vhost.d", "htpasswd", "certs")


@pytest.mark.parametrize(
    ("written_ago", "worker_seconds"),
    [(60, [50]), (60, [50, 70]), (60, [0.1, 50]), (110, [0.1]), (110, [70])],
    ids=["reload", "reload, one died since", "reload, one still has visitors", "start", "start, one died since"],
)
def test_a_configuration_that_nginx_has_taken_is_not_judged_anew(
    proxy: Path, written_ago: float, worker_seconds: list[float]
) -> None:
    read_at(proxy, seconds_ago=written_ago)
    nginx_processes(proxy, *worker_seconds)
    assert not judged_anew(proxy)


def test_a_round_of_the_companion_is_nothing_that_nginx_reads(proxy: Path) -> None:
    read_at(proxy, seconds_ago=60)
    nginx_processes(proxy, 50)
    before = (proxy / "certs" / NAME).stat()
    (proxy / "certs" / NAME / ".companion").write_text("v2.8.2\n")
    os.utime(proxy / "certs" / NAME, (before.st_atime, before.st_mtime))
    assert not judged_anew(proxy)


@pytest.mark.parametrize("worker_seconds", [30, 50], ids=["older than the file", "younger than the file"])
@pytest.mark.parametrize("change", ["conf.d/default.conf", "vhost.d", "certs", "nginx.conf"])
def test_a_configuration_that_may_not_have_been_taken_is_judged(
    proxy: Path, change: str, worker_seconds: float
) -> None:
    read_at(proxy, seconds_ago=60)
    nginx_processes(proxy, worker_seconds)
    if worker_seconds == 50:
        os.utime(proxy / change)
    assert judged_anew(proxy)


def test_a_worker_that_replaces_one_that_died_long_after_a_change_has_read_nothing(proxy: Path) -> None:
    read_at(proxy, seconds_ago=80)
    nginx_processes(proxy, 0.1, 95)
    assert judged_anew(proxy)


@pytest.mark.parametrize("late", [3, -20], ids=["the engine took a while", "the clock was set forward since"])
def test_the_earlier_of_two_clocks_says_when_a_worker_was_started(proxy: Path, late: float) -> None:
    """Between the time by the one and that by the other, the file is written, and then refused."""
    read_at(proxy, seconds_ago=70 + late / 2)
    nginx_processes(proxy, 30, late=late)
    assert judged_anew(proxy)


def test_files_that_a_link_leads_to_are_looked_at(proxy: Path) -> None:
    read_at(proxy, seconds_ago=60)
    nginx_processes(proxy, 50)
    (proxy / "vhost.d").rename(proxy.parent / "elsewhere")
    (proxy / "vhost.d").symlink_to(proxy.parent / "elsewhere")
    os.utime(proxy / "vhost.d", (time.time() - 60,) * 2, follow_symlinks=False)
    (proxy.parent / "elsewhere" / "default").write_text("")
    assert judged_anew(proxy)


def test_where_the_kernel_does_not_tell_the_workers_the_configuration_is_judged(proxy: Path) -> None:
    read_at(proxy, seconds_ago=60)
    assert judged_anew(proxy)


def test_what_is_installed_and_kept_is_read(proxy: Path) -> None:
    found = look(proxy)
    assert found.installed == found.kept and found.linked == {NAME} and found.served == {}
    certificate = found.installed[NAME]
    assert certificate.fits and certificate.names == (NAME, "www.example.org") and len(certificate.sum) == 64
    assert certificate.end - certificate.begin == 90 * DAY and abs(certificate.begin - time.time()) < 600
    assert (found.age, found.configuration) == (None, "accepted")


def test_another_key_an_empty_file_and_lost_links_are_seen(proxy: Path) -> None:
    make_certificate(proxy / "other.pem", proxy / "certs" / NAME / "key.pem", NAME)
    assert not look(proxy).installed[NAME].fits
    (proxy / "certs" / NAME / "fullchain.pem").write_text("")
    assert look(proxy).installed[NAME].sum == ""
    (proxy / "certs" / f"{NAME}.crt").unlink()
    assert look(proxy).linked == frozenset()


def test_how_long_the_youngest_of_them_runs_is_told(proxy: Path) -> None:
    age = look(proxy, RUNNING).age
    assert age is not None and 100 <= age < 110


@pytest.mark.parametrize(
    ("age", "got", "ordered"),
    [
        pytest.param(15, 1, {NAME}, id="a moment ago, since they were started"),
        pytest.param(15, 40, set(), id="before they were started"),
        pytest.param(100, 1, set(), id="they have been running for long"),
    ],
)
def test_what_the_client_has_got_since_a_start_is_told(proxy: Path, age: int, got: int, ordered: set[str]) -> None:
    (certificate,) = proxy.glob("acme/*/*/fullchain.cer")
    os.utime(certificate, (time.time() - got,) * 2)
    assert look(proxy, RUNNING.replace("a=100", f"a={age}")).ordered == ordered


def test_an_nginx_that_publishes_nothing_is_none_that_serves_no_certificate(proxy: Path) -> None:
    # The others never publish anything.
    for ports, seen in (("443/tcp,80/tcp,.", True), (".", False)):
        time = "$(date -u -d '-100 seconds' +%FT%TZ)"
        described = f'echo "a 7 {time} {ports} {{}}"; for each in b c d; do echo "$each 7 {time} . {{}}"; done'
        docker = f"case $1 in ps) {PS} ;; inspect) {described} ;; esac"
        assert (look(proxy, docker).age is not None) is seen


@pytest.mark.parametrize(
    ("text", "docker", "verdict"),
    [(None, "", "gone"), ("", "", "empty"), ("server {}", REFUSED, "refused")],
)
def test_what_docker_gen_wrote_is_judged(proxy: Path, text: str | None, docker: str, verdict: str) -> None:
    file = proxy / "conf.d" / "default.conf"
    file.unlink() if text is None else file.write_text(text)
    assert look(proxy, docker).configuration == verdict


def test_what_the_client_keeps_is_installed_under_its_names_for_nginx(proxy: Path) -> None:
    target = proxy / "certs" / f"_test_{NAME}"
    assert run_script("certificates/install", proxy, "_test_", NAME).returncode == 0
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in target.iterdir()} == {
        "cert.pem": 0o644,
        "chain.pem": 0o644,
        "fullchain.pem": 0o644,
        "key.pem": 0o600,
    }
    kept = proxy / "acme" / "admin@example.org" / NAME
    assert (target / "fullchain.pem").read_text() == (kept / "fullchain.cer").read_text()
    assert (target / "key.pem").read_text() == (kept / f"{NAME}.key").read_text()


def test_a_client_forgets_this_name_and_no_other(proxy: Path) -> None:
    account = proxy / "acme" / "admin@example.org"
    for name in (f"{NAME}_ecc", f"{NAME}.example.net", "ca"):
        (account / name).mkdir()
    assert run_script("certificates/forget", proxy, NAME).returncode == 0
    assert sorted(path.name for path in account.iterdir()) == ["ca", f"{NAME}.example.net"]
    assert (proxy / "certs" / NAME / "fullchain.pem").exists()


def ask(proxy: Path, companion: str = "echo 0c") -> list[str]:
    path = stand_in(proxy.parent, "docker", f'[ "$1" != ps ] || {companion}')
    assert run_script("certificates/look", proxy, "", NAME, before=CONTAINER, path=path).returncode == 0
    return [call.partition(" ")[2] for call in calls_in(proxy.parent)]


ASKED = "exec 0c /app/signal_le_service"


def test_the_companion_is_asked_once_and_what_is_there_is_not_waited_for(proxy: Path) -> None:
    assert ask(proxy).count(ASKED) == 1


def test_without_a_companion_nobody_is_asked(proxy: Path) -> None:
    assert not any(call.startswith("exec") for call in ask(proxy, "true"))


def test_a_certificate_that_does_not_come_is_not_waited_for_for_ever(proxy: Path) -> None:
    (proxy / "certs" / f"{NAME}.crt").unlink()
    minutes = proxy.parent / "minutes"
    stand_in(proxy.parent, "date", f"echo x >>{minutes}; echo $(($(wc -l <{minutes}) * 60))")
    stand_in(proxy.parent, "sleep", "")
    assert ask(proxy).count(ASKED) == 1


def test_a_companion_at_work_is_not_asked_before_it_is_done(proxy: Path) -> None:
    rounds = proxy.parent / "rounds"
    busy = f"echo x >>{rounds}; [ $(wc -l <{rounds}) -gt 2 ] || echo /app/acme.sh --issue"
    path = stand_in(proxy.parent, "docker", f'case "$*" in ps*) echo 0c ;; *cmdline*) {busy} ;; esac')
    stand_in(proxy.parent, "sleep", "")
    assert run_script("certificates/look", proxy, "", NAME, before=CONTAINER, path=path).returncode == 0
    calls = calls_in(proxy.parent)
    assert calls.count(f"docker {ASKED}") == 1 and calls[-1] == f"docker {ASKED}"
    assert len(rounds.read_text().splitlines()) == 3
