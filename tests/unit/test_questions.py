"""A question never writes: what a whole deployment asks leaves a server's files, and its engine, as they are."""

from __future__ import annotations

import dataclasses
import os
import re
import stat
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api.exceptions import FactProcessError

from mstdn import versions
from mstdn.fact import CouldNotLook, Question
from mstdn.questions import of_a_deployment
from tests.harness import REQUIRED, answer_of, calls_in, container_line, listing, on_host, stand_in

SITE = "social.example.org"
RELEASE = versions.MASTODON
# What lies under the roots of a deployed server, as far as a question reads it.
FILES = {
    "mastodon/compose.yaml": "services: {}\n",
    "mastodon/.env": "POSTGRES_PASSWORD=secret\n",
    "mastodon/mastodon.env": f"LOCAL_DOMAIN={SITE}\n",
    "mastodon/nginx/nginx.conf": "events {}\n",
    "mastodon/secrets/instance.env": "SECRET_KEY_BASE='secret'\n",
    "mastodon/secrets/operator.env": "SMTP_PASSWORD='secret'\n",
    "mastodon/state/installed.env": f"LOCAL_DOMAIN={SITE}\nMASTODON_VERSION={RELEASE}\n",
    "mastodon/state/applied": "0f\n",
    "mastodon/state/making": "web 0f\n",
    "mastodon/state/images": "redis:8 sha256:aa\n",
    "mastodon/database/18/docker/PG_VERSION": "18\n",
    "mastodon/scratch/old": "left\n",
    f"mastodon/assets/{RELEASE}-0123456789ab/packs/a.js": "1\n",
    "proxy/compose.yaml": "services: {}\n",
    f"proxy/vhost.d/{SITE}": "# Written by the suite\n",
    "proxy/vhost.d/other.example.org": "# of others\n",
    "proxy/conf.d/default.conf": "server {}\n",
    f"proxy/certs/{SITE}/fullchain.pem": "no certificate\n",
    f"proxy/certs/{SITE}/key.pem": "no key\n",
    f"proxy/acme/operator@example.org/{SITE}/fullchain.cer": "no certificate\n",
    "swap.d/swap": "swap\n",
}
# What a question may ask of programs that can do more than answer.
READING = {
    "docker": {"ps", "inspect", "image", "network", "exec", "logs", "info", "version"},
    "systemctl": {"show", "is-active", "is-enabled"},
    "apt-get": {"--print-uris"},
    "sysctl": set[str](),
}


def look(tree: Path) -> dict[str, tuple[object, ...]]:
    """Everything that is there: kind and mode, owner, time of the last change, inode, and what it holds."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted((tree, *tree.rglob("*"))):
        status = path.lstat()
        holds = os.readlink(path) if path.is_symlink() else (path.read_bytes() if stat.S_ISREG(status.st_mode) else b"")
        found[str(path)] = (oct(status.st_mode), status.st_uid, status.st_mtime_ns, status.st_ino, holds)
    return found


def under(server: Path, question: Question[Any]) -> Question[Any]:
    """The question about the roots of this server."""
    arguments = [re.sub(r"/srv(?=/)|(?<=^)(?=/swap)", str(server), each) for each in question.arguments]
    return dataclasses.replace(question, arguments=tuple(arguments))


@pytest.fixture(name="server")
def _server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The roots of a deployed server, its programs beside them: all services run."""
    server = tmp_path / "server"
    for name, text in FILES.items():
        (server / name).parent.mkdir(parents=True, exist_ok=True)
        (server / name).write_text(text)
    (server / "mastodon/assets/current").symlink_to(f"{RELEASE}-0123456789ab")
    for directory in ("home", "tmp", "mastodon/media", "proxy/html"):
        (server / directory).mkdir(parents=True)
    source = server / "mastodon/source"
    git = ("git", "-C", str(source), "-c", "user.name=a", "-c", "user.email=a@example.org")
    source.mkdir()
    (source / "README.md").write_text("Mastodon\n")
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "a"), ("tag", RELEASE)):
        subprocess.run([*git, *words], check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"})
    # Git would note in its index that this is only younger.
    os.utime(source / "README.md", (time.time() + 5,) * 2)
    old = time.time() - 3 * 86400
    os.utime(server / "mastodon/scratch/old", (old, old))

    services = ("mstdn/web", "mstdn/db", "mstdn/redis", "mstdn/sidekiq", "proxy/nginx", "proxy/acme-companion")
    (tmp_path / "containers").write_text("".join(map(container_line, services)))
    docker = f"""case "$*" in
    ps*) {listing(**dict(zip("abcdef", services, strict=True)))} ;;
    *'format container '*) cat {tmp_path}/containers ;;
    esac"""
    stand_in(tmp_path, "docker", docker)
    stand_in(tmp_path, "dockerd")
    for program in ("apt-get", "sysctl", "iptables-save", "ip6tables-save", "nft", "getent", "openssl"):
        stand_in(tmp_path, program)
    stand_in(tmp_path, "systemctl", "case $* in *LoadState*) printf 'loaded\\nactive\\n' ;; *) echo active ;; esac")
    for variable in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(server / ("tmp" if variable == "TMPDIR" else "home")))
    return server


def test_what_a_deployment_asks_changes_nothing(server: Path, tmp_path: Path) -> None:
    with on_host("@local", **REQUIRED, mastodon_version=RELEASE, mastodon_image_source="source") as state:
        (host,) = state.inventory
        questions = [under(server, question) for question in of_a_deployment(host)]
    assert len(questions) > 30
    before = look(server)
    for question in questions:
        # What it makes of the stand-ins' answers is no matter here.
        with suppress(FactProcessError, CouldNotLook):
            answer_of(question, path=tmp_path / "bin")
        assert look(server) == before, f"{question.fact.__name__} changed something"
    asked = [call.split() for call in calls_in(tmp_path)]
    assert asked
    for program, reads in READING.items():
        assert {words[1] for words in asked if words[0] == program} <= reads, program
    assert {" ".join(words[:3]) for words in asked if words[:2] in (["docker", "image"], ["docker", "network"])} <= {
        "docker image ls",
        "docker image inspect",
        "docker network inspect",
    }
