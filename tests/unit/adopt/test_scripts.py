"""The programs of a take-over, on a server whose Docker is a stand-in and whose files are real."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mstdn import versions
from mstdn.adopt.facts import Candidate, OldInstance
from mstdn.adopt.operations import PROGRAM
from tests.harness import OWNER, answer_of, calls_in, run_script, stand_in
from tests.unit.dying import dies_at, it_has_gone_on

# The files fail-… tell it what to do wrong. "rows-of-the-new": what the new database says that it has. In "engine" lies
# what is known of the old containers: which run, their restart policies, and when the writers were started. "posts" is
# what their database has.
DOCKER = r"""
here=@HERE@ rows="rows public.accounts 3"
engine=$here/engine
fails() { [ -e "$here/fail-$1" ] && { cat "$here/fail-$1" >&2; return 0; }; return 1; }
start() {
    for id; do
        case $id in aa11 | bb22) [ -e "$engine/running/$id" ] || echo again >>"$engine/started" ;; esac
        case $id in -* | 10) ;; *) touch "$engine/running/$id" ;; esac
    done
}
case $* in
"run "*) fails run && exit 1; echo 17 >"$here/srv/database.new/PG_VERSION" ;;
"rm "* | "network disconnect"* | "network connect"*) ;;
"update "*) fails update && exit 1; echo "${2#--restart=}" >"$engine/policy/$3" ;;
"logs "*) echo 'what the new one says' ;;
"restart "*) shift; start "$@" ;;
"start "*) fails start && exit 1; shift; start "$@" ;;
"stop -t 120 mstdn-adopt") ! fails restarts || echo again >>"$engine/started" ;;
"stop "*) fails stop && exit 1; rm -f "$here/goes-on"; shift 3; for id; do rm -f "$engine/running/$id"; done ;;
"inspect "*StartedAt*) cat "$engine/started" ;;
"inspect "*ExitCode*) echo 0 ;;
"inspect "*State.Running*mstdn-adopt) ! fails boot && echo true || echo false ;;
"inspect "*State.Running*) ! fails old && echo true || echo false ;;
"inspect "*Networks*) fails networks && exit 1; printf 'front --alias %s\nother --alias x\n' "${*##* }" ;;
"inspect "*Config.Env*) cat "$here/environment" ;;
"container inspect"*NetworkID* | "network inspect"*.Id*) echo net0 ;;
"network inspect"*) echo '--driver bridge --subnet 172.20.0.0/16' ;;
*pg_isready*) [ ! -e "$here/fail-boot" ] ;;
*" pg_dump "*) fails dump && exit 1; cp "$here/posts" "$here/dumped"; cat "$here/dump" ;;
*"pg_restore --list"*) cat >/dev/null; cat "$here/list" ;;
*"pg_restore --file"*) grep -q whole ;;
*"pg_restore --username"*)
    cp "$here/srv/database.dumps/list" "$here/used-list"
    fails load && exit 1
    cp "$here/dumped" "$here/srv/database.new/posts" ;;
*psql*)
    asked=$(cat)
    case $asked in
    *pg_database_size*) fails ask && exit 1; echo 12 ;;
    *gexec*) case $* in
        *mstdn-adopt*) cat "$here/rows-of-the-new" 2>/dev/null || echo "$rows" ;;
        *) echo "$rows" ;;
        esac ;;
    esac ;;
*"redis-cli SAVE"*) fails save && exit 1; echo OK ;;
*"CONFIG GET dir"*) printf 'dir\n/data\n' ;;
*"CONFIG GET dbfilename"*) printf 'dbfilename\ndump.rdb\n' ;;
*"cat /data/dump.rdb"*) cat "$here/jobs" ;;
esac
exit
"""
ENVIRONMENT = "LOCAL_DOMAIN=social.example.org\nDB_PASS=canary-database\nREDIS_PASSWORD=canary-redis\n"
LIST = """;
; Archive
3; 3079 16 EXTENSION - pg_stat_statements
4; 0 0 COMMENT - EXTENSION pg_stat_statements
5; 2615 2200 SCHEMA - public postgres
201; 1259 17 TABLE public accounts mastodon
300; 0 17 TABLE DATA public accounts mastodon
"""
NOTE = """phase begun
domain social.example.org
version v4.6.9
user mastodon
database mastodon_production
proxy @HERE@/proxy
media @HERE@/old/public/system
owner 991:991
writers aa11 bb22
fronts ee55
compose old	/opt/old
container aa11	always	old-web-1	web
container bb22	unless-stopped	old-sidekiq-1	sidekiq
container cc33	always	old-db-1	db
container dd44	always	old-redis-1	redis
container ee55	always	old-nginx-1	nginx
container ff66	always	nginx-proxy	proxy
"""
POSTGRES = versions.POSTGRES_IMAGE
ALL = {"aa11", "bb22", "cc33", "dd44", "ee55", "ff66"}
AS_THEY_WERE = dict.fromkeys(sorted(ALL), "always") | {"bb22": "unless-stopped"}


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> Path:
    """The suite's directories beside those of an instance that was set up by hand; the take-over is begun."""
    for name in ("srv/state", "srv/database", "srv/redis", "srv/media", "old/public/system/media/1", "notes"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "old/public/system/media/1/a.png").write_text("a picture")
    (tmp_path / "old/public/system/b.png").write_text("another one")
    (tmp_path / "environment").write_text(ENVIRONMENT)
    (tmp_path / "list").write_text(LIST)
    (tmp_path / "dump").write_text("whole")
    (tmp_path / "jobs").write_text("REDIS0012 jobs")
    (tmp_path / "notes/adoption").write_text(NOTE.replace("@HERE@", str(tmp_path)))
    (tmp_path / "posts").write_text("posts\n")
    for name in ("running", "policy"):
        (tmp_path / "engine" / name).mkdir(parents=True)
    for name, policy in AS_THEY_WERE.items():
        (tmp_path / "engine/running" / name).touch()
        (tmp_path / "engine/policy" / name).write_text(policy)
    (tmp_path / "engine/started").write_text("once\n")
    stand_in(tmp_path, "docker", DOCKER.replace("@HERE@", str(tmp_path)))
    return tmp_path


def arguments(home: Path) -> tuple[str | Path, ...]:
    return (home / "srv", POSTGRES, home / "notes/adoption", "0", home / "notes/go-back", "front", "back-mstdn")


def carry(home: Path) -> CompletedProcess[str]:
    uid = str(os.getuid())
    instead: dict[str, str | Path] = {
        "chown 999:999": f"chown {OWNER}",
        "chown -R 999:999": f"chown -R {OWNER}",
        "! -user 991 -exec chown -h 991:991": f"! -user {uid} -exec chown -h {OWNER}",
        "sleep 15": "sleep 0.1",
        "sleep 1\n": "sleep 0\n",
    }
    before = [each for each in PROGRAM[:-1] if each not in ("connection", "lock")]
    return run_script("adopt/carry", *arguments(home), before=before, path=home / "bin", instead=instead)


def phase(home: Path) -> str:
    return (home / "notes/adoption").read_text().splitlines()[0].removeprefix("phase ")


def stopped(home: Path) -> list[str]:
    return [call.split()[-1] for call in calls_in(home) if call.startswith("docker stop")]


def test_database_jobs_and_media_take_their_place_and_the_old_ones_stay(home: Path) -> None:
    answer = carry(home)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    srv, old = home / "srv", home / "old/public/system"
    assert (srv / "database/PG_VERSION").read_text() == "17\n"
    assert (srv / "redis/appendonlydir/appendonly.aof.1.base.rdb").read_text() == "REDIS0012 jobs"
    assert (srv / "state/installed.env").read_text() == "LOCAL_DOMAIN=social.example.org\nMASTODON_VERSION=v4.6.9\n"
    for name in ("media/1/a.png", "b.png"):
        assert (srv / "media" / name).read_text() == (old / name).read_text()
        # No room is taken twice.
        assert (srv / "media" / name).stat().st_ino == (old / name).stat().st_ino
    assert sorted(path.name for path in srv.iterdir()) == ["database", "media", "redis", "state"]
    assert phase(home) == "carried"
    assert "have the 3 rows" in answer.stdout


def test_the_old_mastodon_stops_once_a_rehearsal_went_well_and_the_rest_once_all_is_complete(home: Path) -> None:
    assert carry(home).returncode == 0
    calls = calls_in(home)
    dumps = [number for number, call in enumerate(calls) if " pg_dump " in call]
    loads = [number for number, call in enumerate(calls) if "pg_restore --username" in call]
    first_stop = calls.index("docker stop -t 60 aa11 bb22")
    assert dumps[0] < loads[0] < first_stop < dumps[1] < loads[1] < calls.index("docker stop -t 120 cc33")
    assert stopped(home)[-1] == "ff66"
    assert calls.count("docker update --restart=no ff66") == 1
    assert not [
        call for call in calls if "rm -rf" in call or (call.startswith("docker rm") and "mstdn-adopt" not in call)
    ]


def test_what_is_of_the_server_and_not_of_mastodon_stays_behind(home: Path) -> None:
    assert carry(home).returncode == 0
    used = (home / "used-list").read_text()
    assert "TABLE DATA public accounts" in used
    assert "EXTENSION" not in used and "SCHEMA" not in used


def test_passwords_are_no_arguments(home: Path) -> None:
    answer = carry(home)
    assert "canary" not in answer.stdout + answer.stderr + "\n".join(calls_in(home))
    assert "canary" not in (home / "notes/go-back").read_text() + (home / "notes/adoption").read_text()


BROKEN = [
    # a file of the world with its text, part of what is said, whether the old Mastodon was stopped by then
    ("fail-run", "no such image", "could not be started", False),
    ("fail-boot", "", "did not come up", False),
    ("fail-old", "", "docker start cc33", False),
    ("fail-dump", "could not write: No space left on device", "could not be dumped", False),
    ("dump", "who", "cannot be read to its end", False),
    ("list", "; nothing\n", "has no tables", False),
    ("fail-load", "could not create unique index", "could not be loaded", False),
    ("fail-ask", "the engine is silent", "did not answer", False),
    ("fail-save", "MISCONF", "Redis did not answer", True),
    ("jobs", "nothing of Redis'", "none of its files", True),
    ("rows-of-the-new", "rows public.accounts 2\n", "other numbers of rows", True),
]


@pytest.mark.parametrize(("file", "text", "said", "late"), BROKEN, ids=[row[2] for row in BROKEN])
def test_whatever_fails_the_old_one_serves_on_and_nothing_is_left(
    home: Path, file: str, text: str, said: str, late: bool
) -> None:
    before = (home / file).read_text() if (home / file).exists() else None
    (home / file).write_text(text)
    answer = carry(home)
    assert answer.returncode == 1, answer.stdout
    assert said in answer.stderr and "The old instance serves on" in answer.stderr
    assert ("docker start aa11 bb22" in calls_in(home)) == late
    # It asked for the address of web when it started, and never since.
    assert ("docker restart -t 10 ee55" in calls_in(home)) == late
    assert phase(home) == "begun"
    assert not [call for call in calls_in(home) if "--restart=no" in call]
    left = sorted(path.name for path in (home / "srv").iterdir())
    assert left == ["database", "media", "redis", "state"] and not list((home / "srv/database").iterdir())
    # The next one is good once the cause is gone.
    (home / file).unlink()
    if before is not None:
        (home / file).write_text(before)
    assert carry(home).returncode == 0
    assert phase(home) == "carried"


def test_an_old_one_that_does_not_start_again_is_told_with_the_command(home: Path) -> None:
    (home / "fail-save").write_text("")
    (home / "fail-start").write_text("no space")
    assert "docker start aa11 bb22" in carry(home).stderr


def test_one_that_was_killed_while_visitors_waited_goes_on_without_a_rehearsal(home: Path) -> None:
    note = home / "notes/adoption"
    note.write_text(note.read_text().replace("phase begun", "phase stopped"))
    (home / "srv/database.new").mkdir()
    answer = carry(home)
    assert answer.returncode == 0, answer.stderr
    assert "rehearse" not in answer.stdout and phase(home) == "carried"


def test_a_picture_that_was_copied_by_half_is_copied_again_and_more_come_later(home: Path) -> None:
    here = home / "srv/media/media/1"
    here.mkdir(parents=True)
    (here / "a.png").write_text("a pic")
    assert carry(home).returncode == 0
    assert (here / "a.png").read_text() == "a picture"


def test_media_on_another_disk_are_copied_and_stay_there(home: Path) -> None:
    stand_in(home, "ln", "echo 'Invalid cross-device link' >&2; exit 1")
    old = home / "old/public/system"
    os.utime(old / "b.png", (1_600_000_000, 1_600_000_000))
    answer = carry(home)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "2 files are copied" in answer.stdout
    for name in ("media/1/a.png", "b.png"):
        copy = home / "srv/media" / name
        assert copy.read_text() == (old / name).read_text()
        assert copy.stat().st_ino != (old / name).stat().st_ino
        assert copy.stat().st_mtime == (old / name).stat().st_mtime
    assert sorted(path.name for path in (home / "srv/media").iterdir()) == ["b.png", "media"]


def test_keys_come_before_others_could_be_made_and_are_never_replaced(home: Path) -> None:
    (home / "environment").write_text("SECRET_KEY_BASE=0f\nVAPID_PUBLIC_KEY=BAAA=\nSMTP_PASSWORD=canary\n")
    note, file = home / "begun/adoption", home / "instance.env"
    arguments = (note, file, "aa11", "SECRET_KEY_BASE", "VAPID_PUBLIC_KEY")

    def begin(*names: str) -> CompletedProcess[str]:
        instead: dict[str, str | Path] = {"chown 0:0": f"chown {OWNER}"}
        text = "phase begun\ndomain x"
        return run_script("adopt/begin", *arguments, *names, stdin=f"{text}\n", path=home / "bin", instead=instead)

    assert begin("NOWHERE").returncode == 1
    assert not file.exists()
    assert begin().returncode == 0
    assert file.read_text() == "SECRET_KEY_BASE=0f\nVAPID_PUBLIC_KEY=BAAA=\n# complete\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert note.read_text() == "phase begun\ndomain x\n"
    (home / "environment").write_text("SECRET_KEY_BASE=ee\nVAPID_PUBLIC_KEY=other\n")
    assert begin().returncode == 0
    assert "SECRET_KEY_BASE=0f" in file.read_text()


def test_a_take_over_that_is_finished_says_so_once(home: Path) -> None:
    note = home / "notes/adoption"
    for _ in range(2):
        assert run_script("adopt/finish", note).returncode == 0
    lines = note.read_text().splitlines()
    assert lines[0] == "phase finished" and len([line for line in lines if line.startswith("finished ")]) == 1
    assert "container ff66\talways\tnginx-proxy\tproxy" in lines


def make_certificate(directory: Path, name: str, days: int = 60) -> None:
    directory.mkdir(exist_ok=True)
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days)]
    files = ["-keyout", str(directory / f"{name}.key"), "-out", str(directory / f"{name}.crt")]
    subprocess.run(
        ["openssl", "req", "-x509", *options, *files, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
        check=True,
        capture_output=True,
    )


def test_a_certificate_lies_where_nginx_looks_and_one_that_is_there_stays(home: Path) -> None:
    name, certs = "social.example.org", home / "certs"
    certs.mkdir()
    make_certificate(home / "old-certs", name)
    chain = (home / "old-certs" / f"{name}.crt").read_text()
    (home / "old-certs" / f"{name}.crt").write_text(chain + chain)
    for _ in range(2):
        assert run_script("adopt/certificate", name, home / "old-certs", certs, "").returncode == 0
    assert (certs / f"{name}.crt").resolve() == certs / name / "fullchain.pem"
    assert (certs / f"{name}.crt").read_text() == chain + chain
    assert ((certs / name / "cert.pem").read_text(), (certs / name / "chain.pem").read_text()) == (chain, chain)
    assert (certs / f"{name}.key").read_text() == (home / "old-certs" / f"{name}.key").read_text()
    assert (certs / name / "key.pem").stat().st_mode & 0o777 == 0o600
    (certs / name / "fullchain.pem").write_text("newer")
    # Without one above it there is no chain, and nginx would not start with an empty file.
    make_certificate(home / "old-certs", "other.example.org")
    assert run_script("adopt/certificate", "other.example.org", home / "old-certs", certs, "").returncode == 0
    assert (certs / "other.example.org.crt").exists()
    assert not (certs / "other.example.org.chain.pem").is_symlink()
    assert run_script("adopt/certificate", name, home / "old-certs", certs, "").returncode == 0
    assert (certs / f"{name}.crt").read_text() == "newer"


# --- Cut off while the old containers are retired -----------------------------------------------

# A program, words of its call, and whether it still does that: once the writers are to stop, each is a moment at which
# the power may fail.
MOMENTS = [
    ("docker", "stop -t 120 mstdn-adopt", "after"),
    ("mv", "/go-back.new", "after"),
    ("mv", "/adoption.new", "before"),
    ("mv", "/adoption.new", "after"),
    ("mv", "/database.new ", "after"),
    ("mv", "/redis.new/", "after"),
    ("docker", "stop -t 60 aa11 bb22", "meanwhile"),
    ("docker", "update --restart=no aa11", "after"),
    ("docker", "update --restart=no bb22", "after"),
    ("docker", "stop -t 120 ee55", "after"),
    ("docker", "stop -t 120 cc33", "meanwhile"),
    ("docker", "stop -t 120 cc33", "after"),
    ("docker", "stop -t 120 ff66", "after"),
    ("mv", "state/.installed.new", "after"),
]
# The note is written for each phase, and the last one is meant.
IN_THE_LAST_PHASE = 'grep -q "^phase switching" "$here/notes/adoption.new"'


def running(home: Path) -> set[str]:
    return {path.name for path in (home / "engine/running").iterdir()}


def policies(home: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in (home / "engine/policy").iterdir()}


def reboots(home: Path) -> None:
    """Whatever may start by itself does, also what was stopped by hand."""
    for name, policy in policies(home).items():
        if policy == "no":
            (home / "engine/running" / name).unlink(missing_ok=True)
            continue
        (home / "engine/running" / name).touch()
        if name in ("aa11", "bb22"):
            with (home / "engine/started").open("a") as started:
                started.write("rebooted\n")


@pytest.mark.interrupted
@pytest.mark.parametrize("then", ["the power is back", "systemd puts it in order"])
@pytest.mark.parametrize(("program", "words", "when"), MOMENTS, ids=[" ".join(row) for row in MOMENTS])
def test_whenever_it_is_cut_off_no_post_is_lost(
    home: Path, program: str, words: str, when: str, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies_at(home, program, words, when, IN_THE_LAST_PHASE if words == "/adoption.new" else "true")
    assert carry(home).returncode == -9
    if then == "the power is back":
        (home / "goes-on").unlink(missing_ok=True)
        reboots(home)
    else:
        with monkeypatch.context() as ended:
            for name, value in (("SERVICE_RESULT", "signal"), ("EXIT_CODE", "killed"), ("EXIT_STATUS", "KILL")):
                ended.setenv(name, value)
            before = PROGRAM[: PROGRAM.index("adopt/put_in_order")]
            answer = run_script("adopt/put_in_order", *arguments(home), before=before, path=home / "bin")
        it_has_gone_on(home, "docker")
        assert answer.returncode == 0 and "tasks/adopt.py --data yes=social.example.org" in answer.stdout
        assert running(home) == ALL and policies(home) == AS_THEY_WERE, answer.stdout
    post = ""
    if {"aa11", "cc33"} <= running(home):
        post = "posted since\n"
        (home / "posts").write_text(f"posts\n{post}")
    answer = carry(home)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (home / "srv/database/posts").read_text() == f"posts\n{post}"
    assert (home / "srv/redis/appendonlydir/appendonly.aof.1.base.rdb").exists()
    assert phase(home) == "carried" and running(home) == set() and set(policies(home).values()) == {"no"}
    assert sorted(path.name for path in (home / "srv").iterdir()) == ["database", "media", "redis", "state"]


LATE = [
    # a file of the world with its text, or part of a call of mv that fails; part of what is said
    ("fail-restarts", "", "was started in between"),
    ("fail-networks", "the engine is silent", "The way back could not be written down"),
    ("fail-update", "the engine is silent", "could not be kept from starting by itself"),
    ("srv/database/something", "", "come into the place of the database"),
    ("/database.new ", None, "could not be moved into its place"),
    ("/adoption.new", None, "could not be written"),
    ("state/.installed.new", None, "A step failed that never should"),
]


@pytest.mark.parametrize(("what", "text", "said"), LATE, ids=[row[0] for row in LATE])
def test_whatever_fails_when_all_is_dumped_is_told_and_the_old_instance_serves_again(
    home: Path, what: str, text: str | None, said: str
) -> None:
    if text is None:
        late = f'grep -qs "^phase switching" {home}/notes/adoption {home}/notes/adoption.new'
        fail = f"case \"$*\" in *'{what}'*) ! {late} || {{ echo 'Input/output error' >&2; exit 1; }} ;; esac"
        stand_in(home, "mv", f'{fail}\nexec /bin/mv "$@"')
    else:
        (home / what).write_text(text)
    answer = carry(home)
    assert answer.returncode == 1 and said in answer.stderr, answer.stderr
    assert running(home) == ALL and policies(home) == AS_THEY_WERE
    assert ("The old instance serves on" in answer.stderr) is (what != "fail-update")
    (home / ("bin/mv" if text is None else what)).unlink()
    assert carry(home).returncode == 0
    assert phase(home) == "carried" and (home / "srv/database/posts").read_text() == "posts\n"


def test_one_that_ended_a_moment_ago_is_not_done_again(home: Path) -> None:
    assert carry(home).returncode == 0
    (home / "calls").unlink()
    assert carry(home).returncode == 0
    assert not [call for call in calls_in(home) if "docker inspect" not in call] and phase(home) == "carried"


# --- The way back -------------------------------------------------------------------------------

# Networks are directories: their options, their ID, and who is on them. The file dies-at has words of the call at which
# the way back is killed, once, after that call has done its work; the file at-once says that it has not.
BACK = r"""
here=@HERE@ ends=''
if [ -s "$here/dies-at" ]; then case "$*" in *"$(cat "$here/dies-at")"*) ends=yes; rm "$here/dies-at" ;; esac; fi
[ -z "$ends" ] || [ ! -e "$here/at-once" ] || { kill -s KILL "$PPID"; exit 1; }
of() { cat "$here/networks/$1/$2" 2>/dev/null; }
made() { mkdir "$here/networks/$1" && echo "$2" >"$here/networks/$1/options" && echo of-old >"$here/networks/$1/id"; }
case $* in
"compose "*"/monitoring down") rm -f "$here"/networks/*/on-exporter ;;
"container inspect --format"*front*NetworkID*) of front "on-$5" || true ;;
"container inspect --format"*NetworkID*) of back-mstdn "on-$5" || true ;;
"container inspect --format"*Aliases*) echo "--alias stranger" ;;
"network inspect --format {{.Id}} "*) of "$5" id ;;
"network inspect "*) of "$5" options ;;
"ps "*) for each in "$here/networks/${*##*=}"/on-*; do [ ! -e "$each" ] || echo "${each##*/on-}"; done ;;
"network disconnect "*) rm -f "$here/networks/$4/on-$5" ;;
"network connect "*) shift $(($# - 2)); of "$1" id >"$here/networks/$1/on-$2" ;;
"network rm "*) ! ls "$here/networks/$3" | grep -q '^on-' && rm -r "$here/networks/$3" ;;
"network create "*) said=${*#network create }; made "${*##* }" "${said% *}" ;;
"start "*) [ ! -e "$here/fail-start" ] ;;
esac
code=$?
[ -z "$ends" ] || kill -s KILL "$PPID"
exit "$code"
"""
OLD_OPTIONS = "--driver bridge --subnet 172.20.0.0/16"


def the_suite_serves(home: Path) -> None:
    """It has taken the instance over, with exporters, and made both networks anew; somebody else has joined them."""
    assert carry(home).returncode == 0
    for directory in ("srv", "srv/monitoring", "proxy"):
        (home / directory).mkdir(exist_ok=True)
        (home / directory / "compose.yaml").touch()
    for network in ("front", "back-mstdn"):
        (home / "networks" / network).mkdir(parents=True)
        for name, text in (("options", f"{OLD_OPTIONS} --internal"), ("id", "of-suite")):
            (home / "networks" / network / name).write_text(f"{text}\n")
        for member in ("exporter", "stranger"):
            (home / "networks" / network / f"on-{member}").write_text("of-suite\n")
    stand_in(home, "docker", BACK.replace("@HERE@", str(home)))
    stand_in(home, "systemctl")
    (home / "calls").unlink()


def go_back(home: Path, *words: str) -> CompletedProcess[str]:
    environment = {"PATH": f"{home}/bin:{os.environ['PATH']}"}
    command = ["sh", str(home / "notes/go-back"), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def is_back(home: Path) -> None:
    """The old containers are on networks as they were, and so is somebody else; nobody of the suite is."""
    for network in ("front", "back-mstdn"):
        place = home / "networks" / network
        assert (place / "options").read_text() == f"{OLD_OPTIONS}\n"
        members = {path.name.removeprefix("on-"): path.read_text().strip() for path in place.glob("on-*")}
        old = ALL if network == "front" else set()
        assert members == dict.fromkeys({*old, "stranger"}, "of-old"), network
    assert calls_in(home)[-3:] == [
        "docker start cc33 dd44 aa11 bb22",
        "docker restart -t 10 ee55",
        "docker start ff66",
    ]
    assert sorted(path.name for path in (home / "notes").iterdir()) == ["go-back"]


def test_the_way_back_starts_the_old_containers_as_they_were(home: Path) -> None:
    the_suite_serves(home)
    back = home / "notes/go-back"
    assert back.stat().st_mode & 0o777 == 0o700
    assert "chown" not in back.read_text() and "--alias x" not in back.read_text()
    done = go_back(home)
    assert done.returncode == 0, done.stderr
    is_back(home)
    calls = calls_in(home)
    downs = [call.split()[3] for call in calls if call.endswith(" down")]
    assert downs == [f"{home}/srv/monitoring", f"{home}/srv", f"{home}/proxy"]
    assert "docker update --restart=unless-stopped bb22" in calls
    assert "docker network connect --alias aa11 front aa11" in calls
    assert "docker network connect --alias stranger front stranger" in calls
    # A network by which they were made is gone: Docker does not start them any more.
    (home / "fail-start").touch()
    assert go_back(home).returncode == 0
    anew = "docker compose --project-directory /opt/old --project-name old up --detach --force-recreate --no-build"
    assert calls_in(home)[-1] == anew


CUTS = (
    *("/monitoring down", "/srv down", "/proxy down", "disconnect --force front stranger", "network rm front"),
    *(
        "network create",
        "network rm back-mstdn",
        "connect --alias stranger",
        "connect --alias aa11",
        "--restart=always cc33",
    ),
    *("start cc33", "restart -t", "start ff66"),
)


@pytest.mark.interrupted
@pytest.mark.parametrize("at_once", [True, False])
def test_a_way_back_that_was_cut_off_anywhere_is_finished_by_the_next(home: Path, at_once: bool) -> None:
    the_suite_serves(home)
    shutil.copytree(home / "networks", home / "networks.kept")
    note = (home / "notes/adoption").read_text()
    if at_once:
        (home / "at-once").touch()
    for words in CUTS:
        shutil.rmtree(home / "networks")
        shutil.copytree(home / "networks.kept", home / "networks")
        (home / "notes/adoption").write_text(note)
        (home / "dies-at").write_text(words)
        assert go_back(home).returncode == -9, words
        done = go_back(home)
        assert done.returncode == 0, (words, done.stderr)
        is_back(home)


def test_only_the_old_containers_start_where_a_take_over_has_failed(home: Path) -> None:
    the_suite_serves(home)
    assert go_back(home, "containers").returncode == 0
    calls = calls_in(home)
    assert not [call for call in calls if " down" in call or "network rm" in call or "systemctl" in call]
    assert calls[-1] == "docker start ff66" and (home / "notes/adoption").exists()
    (home / "calls").unlink()
    # Who is on a network already stays on it: another address would be news to the old nginx.
    assert go_back(home, "containers").returncode == 0
    assert not [call for call in calls_in(home) if "network connect" in call]


# --- What is here -------------------------------------------------------------------------------

LOOK = r"""
here=@HERE@
case $* in
"ps "*) printf 'a1|running|old|web|False\nb2|running|old|db|False\n' ;;
"inspect "*'{{.Id}}'*) cat "$here/containers" ;;
"inspect "*'json .}}'*) cat "$here/variables" ;;
"inspect "*println*) cat "$here/environment" ;;
"inspect "*Config.Image*) echo ghcr.io/mastodon/mastodon:v4.6.9 ;;
"inspect "*'{{.Image}}'*) echo sha256:0f ;;
"inspect "*Mounts*) printf '/opt/mastodon/public/system\t%s/old/public/system\n' "$here" ;;
"image inspect"*) printf '"PATH=/bin"\n' ;;
"cp a1:/opt/mastodon/"*) tar -C "$here" -c version.rb ;;
"exec "*psql*) cat >/dev/null; printf 'database 15.8 (Debian 15.8-1) 12345678\nextension pghero\nrows 500\n' ;;
"exec "*redis-cli*) printf 'redis_version:7.2.4\r\nused_memory:2000\r\n' ;;
esac
exit
"""
# ID, name, project, directory, service, status, restart policy, whether made by "run", domain, command, certificates.
ROWS = """\
a1|/old-web-1|old|@HERE@/old|web|running|always|False|LOCAL_DOMAIN=social.example.org|["bundle","exec","puma"]null|
a2|/old-web-run-1|old|@HERE@/old|web|exited|no|True|LOCAL_DOMAIN=social.example.org|["rails"]null|
a3|/old-sidekiq-1|old|@HERE@/old|sidekiq|running|always|False|LOCAL_DOMAIN=social.example.org|["sidekiq"]null|
a4|/old-tootctl-1|old|@HERE@/old|tidy|running|always|False|LOCAL_DOMAIN=social.example.org|["tootctl"]null|
a5|/old-nginx-1|old|@HERE@/old|nginx|running|always|False|LOCAL_DOMAIN=social.example.org|["nginx"]null|
b2|/old-db-1|old|@HERE@/old|db|running|always|False|LOCAL_DOMAIN=social.example.org|["postgres"]null|
c3|/old-redis-1|old|@HERE@/old|redis|running|always|False|-|["redis-server"]null|
d4|/mstdn-web-1|mstdn|@HERE@/srv|web|running|always|False|LOCAL_DOMAIN=other.example.org|["puma"]null|
e5|/nginx-proxy|-|-|-|running|always|False|-|["nginx"]null|@HERE@/old-certs
"""
VERSION = "".join(
    f"    def {name}\n      {number}\n    end\n" for name, number in (("major", 4), ("minor", 6), ("patch", 9))
)
VARIABLES = """"LOCAL_DOMAIN=social.example.org"
"PATH=/bin"
"DB_HOST=db"
"REDIS_HOST=redis"
"SMTP_PASSWORD=canary"
"OTP_SECRET=canary"
"SECRET_KEY_BASE=canary"
"EMPTY="
"SMTP_FROM_ADDRESS=M \\u003cm@example.org\\u003e"
"""


@pytest.fixture(name="old")
def _old(home: Path) -> Path:
    """The same server, as far as somebody only looks at it."""
    here = str(home)
    stand_in(home, "docker", LOOK.replace("@HERE@", here))
    stand_in(home, "systemctl", "printf 'loaded\\nactive\\n'")
    (home / "containers").write_text(ROWS.replace("|", "\t").replace("@HERE@", here))
    (home / "variables").write_text(VARIABLES)
    keys = f"SECRET_KEY_BASE={'0f' * 64}\nVAPID_PUBLIC_KEY=odd\nDB_HOST=db\nREDIS_HOST=redis\nDB_PASS=canary\n"
    (home / "environment").write_text(keys)
    (home / "version.rb").write_text(VERSION)
    (home / "notes/adoption").unlink()
    make_certificate(home / "old-certs", "social.example.org")
    return home


def test_what_is_here_is_seen_without_a_secret_and_without_a_trace(old: Path) -> None:
    question = OldInstance.of("", f"{old}/srv", ["social.example.org"])
    seen = answer_of(question, path=old / "bin")
    assert seen.candidates == (Candidate("old", f"{old}/old", "social.example.org"),)
    assert [(each.name, each.role) for each in seen.containers] == [
        ("old-web-1", "web"),
        ("old-sidekiq-1", "sidekiq"),
        ("old-tootctl-1", "web"),
        ("old-nginx-1", "nginx"),
        ("old-db-1", "db"),
        ("old-redis-1", "redis"),
    ]
    assert seen.variables == {
        "LOCAL_DOMAIN": "social.example.org",
        "DB_HOST": "db",
        "REDIS_HOST": "redis",
        "SMTP_FROM_ADDRESS": "M <m@example.org>",
    }
    assert seen.brought == {"SMTP_PASSWORD", "OTP_SECRET"}
    assert (set(seen.good), set(seen.odd)) == ({"SECRET_KEY_BASE"}, {"VAPID_PUBLIC_KEY"})
    assert (seen.version, seen.database, seen.extensions) == ("v4.6.9", ("15.8", 12345678), ("pghero",))
    assert seen.redis == ("7.2.4", 2000)
    media = seen.media
    assert media and (media.path, media.links) == (f"{old}/old/public/system", True)
    assert seen.proxies == {"e5": f"{old}/old-certs"}
    assert seen.certificates == {"social.example.org": (f"{old}/old-certs", "good")}
    assert (seen.ours, seen.keys, seen.phase) == (False, "", "")
    command = question.fact().command(*question.arguments).get_raw_value()
    printed = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{old}/bin:{os.environ['PATH']}"},
    )
    assert "canary" not in printed.stdout
    asked = {call.split()[1] for call in calls_in(old) if call.startswith("docker ")}
    assert asked == {"ps", "inspect", "image", "cp", "exec"}


def test_the_directory_that_was_named_decides_and_the_suites_own_is_none(old: Path) -> None:
    two = (old / "containers").read_text() + (old / "containers").read_text().splitlines()[0].replace("old", "second")
    (old / "containers").write_text(two + "\n")
    undecided = answer_of(OldInstance.of("", f"{old}/srv", []), path=old / "bin")
    assert undecided.project == "" and {each.project for each in undecided.candidates} == {"old", "second"}
    assert answer_of(OldInstance.of(f"{old}/old", f"{old}/srv", []), path=old / "bin").project == "old"
    assert answer_of(OldInstance.of("/elsewhere", f"{old}/srv", []), path=old / "bin").project == ""


VERDICTS = [
    ("another name", "is for another name"),
    ("another key", "has another key"),
    ("soon over", "ends within a week"),
    ("no certificate", "cannot be read"),
]


@pytest.mark.parametrize(("what", "verdict"), VERDICTS, ids=[row[0] for row in VERDICTS])
def test_a_certificate_that_will_not_do_is_said_to(old: Path, what: str, verdict: str) -> None:
    certs, name = old / "old-certs", "social.example.org"
    if what == "another name":
        make_certificate(certs, "other.example.org")
        for kind in ("crt", "key"):
            (certs / f"other.example.org.{kind}").rename(certs / f"{name}.{kind}")
    elif what == "another key":
        make_certificate(certs, "other.example.org")
        (certs / "other.example.org.key").rename(certs / f"{name}.key")
    elif what == "soon over":
        make_certificate(certs, name, days=3)
    else:
        (certs / f"{name}.crt").write_text("nothing")
    seen = answer_of(OldInstance.of("", f"{old}/srv", [name]), path=old / "bin")
    assert verdict in seen.certificates[name][1]


def test_keys_that_are_here_are_compared_and_not_shown(old: Path) -> None:
    (old / "srv/secrets").mkdir()
    file = old / "srv/secrets/instance.env"
    with (old / "environment").open("a") as environment:
        environment.write(f"ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY={'a' * 32}\n")
    for key, said in (("a" * 32, "same"), ("b" * 32, "other")):
        file.write_text(f"ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY={key}\n# complete\n")
        assert answer_of(OldInstance.of("", f"{old}/srv", []), path=old / "bin").keys == said
