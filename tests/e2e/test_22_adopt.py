"""
You have a Mastodon already: one that somebody has set up by hand, years ago, after a guide, becomes the suite's.

The server is bare at the beginning. Docker, networks, Compose files, .env.production, the proxy and its certificate are
made by hand.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from mstdn import versions
from tests.e2e.conftest import bare_server
from tests.e2e.instance import Instance
from tests.e2e.test_06_visitors import GIF
from tests.e2e.test_servers import PLAIN_DOCKER
from tests.lab.catalogue import OLDER_POSTGRES_IMAGE
from tests.lab.commands import wait_until
from tests.lab.world import SMTP_PASSWORD, World

ADOPT = "tasks/adopt.py"
PLACE, EDGE = "/opt/mastodon-by-hand", "/opt/proxy-by-hand"
# It stays at the release that it runs; an upgrade is another day's work.
RELEASE = versions.NEWEST_PATCHES[-2]
SAME: dict[str, Any] = {"mastodon_version": RELEASE}
UNIT = "mstdn-adopt.service"
OLD = ("web", "streaming", "sidekiq", "nginx", "redis", "db")

COMPOSE = f"""
services:
  db:
    image: {OLDER_POSTGRES_IMAGE}
    restart: always
    networks: [back-mstdn]
    environment: [POSTGRES_HOST_AUTH_METHOD=trust]
    volumes: ["./postgres:/var/lib/postgresql/data"]
  redis:
    image: {versions.REDIS_IMAGE}
    restart: always
    command: redis-server --protected-mode no
    networks: [back-mstdn]
    volumes: ["./redis:/data"]
  web: &mastodon
    image: ghcr.io/mastodon/mastodon:{RELEASE}
    restart: always
    env_file: .env.production
    command: bundle exec puma -C config/puma.rb
    networks: [front, back-mstdn]
    volumes: ["./public/system:/opt/mastodon/public/system"]
  streaming:
    image: ghcr.io/mastodon/mastodon-streaming:{RELEASE}
    restart: always
    env_file: .env.production
    command: node ./streaming/index.js
    networks: [front, back-mstdn]
  sidekiq:
    <<: *mastodon
    command: bundle exec sidekiq
  nginx:
    image: {versions.NGINX_IMAGE}
    restart: unless-stopped
    ports: ["9090:9090"]
    networks: [front, back-mstdn]
    volumes: ["./nginx.conf:/etc/nginx/conf.d/default.conf:ro"]
networks:
  front: {{external: true}}
  back-mstdn: {{external: true}}
"""
INNER = """
server {
    listen 9090;
    client_max_body_size 8m;
    location / {
        proxy_pass http://web:3000;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto https;
    }
}
"""
PROXY = """
name: edge
services:
  nginx-proxy:
    image: jwilder/nginx-proxy:alpine
    restart: always
    ports: ["80:80", "443:443"]
    networks: [front]
    volumes: ["./certs:/etc/nginx/certs:ro", "./site.conf:/etc/nginx/conf.d/default.conf:ro"]
networks:
  front: {external: true}
"""
OUTER = """
server {
    listen 80;
    listen 443 ssl;
    ssl_certificate /etc/nginx/certs/@DOMAIN@.crt;
    ssl_certificate_key /etc/nginx/certs/@DOMAIN@.key;
    resolver 127.0.0.11 valid=1s;
    set $inner nginx;
    location / {
        proxy_pass http://$inner:9090;
        proxy_set_header Host $host;
    }
}
"""
ENVIRONMENT = f"""
LOCAL_DOMAIN=@DOMAIN@
SINGLE_USER_MODE=false
DB_HOST=db
DB_USER=postgres
DB_NAME=postgres
DB_PASS=
DB_PORT=5432
REDIS_HOST=redis
REDIS_PORT=6379
OTP_SECRET=0123456789abcdef
SMTP_SERVER=mail.example.net
SMTP_PORT=587
SMTP_LOGIN=mastodon
SMTP_PASSWORD={SMTP_PASSWORD}
SMTP_FROM_ADDRESS=mastodon@example.org
VIRTUAL_HOST=@DOMAIN@
"""


@dataclass(frozen=True)
class ByHand:
    """The server, what was written there before, and how to get in."""

    instance: Instance
    token: str
    picture: str
    environment: dict[str, str]

    @property
    def names(self) -> str:
        return " ".join([*(f"mastodon-by-hand-{each}-1" for each in OLD), "edge-nginx-proxy-1"])

    def states(self) -> set[str]:
        """State and restart policy of each container of before."""
        form = "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}"
        return set(self.instance.run(f"docker inspect --format '{form}' {self.names}").splitlines())

    def post(self, text: str) -> None:
        header = ("--header", f"Authorization: Bearer {self.token}", "--data-urlencode", f"status={text}")
        assert self.instance.visit("/api/v1/statuses", *header).status == 200

    def posts(self) -> str:
        """What everybody can read, past the caches."""
        return self.instance.visit(f"/api/v1/timelines/public?at={time.time()}").body


def certificate(world: World, name: str) -> str:
    """Key and certificate of a name, by the lab's authority."""
    return world.internet.run(
        "umask 077 && cd $(mktemp -d) && openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "
        f"/CN={name} -keyout key -out request 2>/dev/null && echo subjectAltName=DNS:{name} >names && openssl x509 "
        "-req -in request -CA /identity/ca.crt -CAkey /identity/ca.key -days 60 -set_serial 4711 -extfile names -out "
        "certificate 2>/dev/null && cat key certificate"
    ).stdout


def set_up(instance: Instance) -> None:
    """As somebody did by hand. The keys are made by Mastodon's own commands."""
    domain, image = instance.domain, f"ghcr.io/mastodon/mastodon:{RELEASE}"
    instance.server.run(PLAIN_DOCKER, timeout=300)
    instance.run("docker network create front; docker network create back-mstdn")
    instance.run(f"mkdir -p {PLACE}/public/system {EDGE}/certs && chown -R 991:991 {PLACE}/public")
    files = {
        f"{PLACE}/docker-compose.yml": COMPOSE,
        f"{PLACE}/nginx.conf": INNER,
        f"{EDGE}/docker-compose.yml": PROXY,
        f"{EDGE}/site.conf": OUTER.replace("@DOMAIN@", domain),
        f"{EDGE}/certs/{domain}.crt": certificate(instance.world, domain),
    }
    for path, text in files.items():
        instance.run(f"cat >{path}", stdin=text)
    # What openssl printed has both, and each reader takes its own.
    instance.run(f"cp {EDGE}/certs/{domain}.crt {EDGE}/certs/{domain}.key")
    instance.run(f"sed -i '1,/END PRIVATE KEY/d' {EDGE}/certs/{domain}.crt")
    commands = ("echo SECRET_KEY_BASE=$(bin/rails secret)", "bin/rails db:encryption:init")
    make = "; ".join([*commands, "bin/rails mastodon:webpush:generate_vapid_key"])
    instance.server.run(
        f"cd {PLACE} && cat >.env.production && docker run --rm {image} sh -c '{make}' | grep -E '^[A-Z_]+=' "
        ">>.env.production",
        stdin=ENVIRONMENT.replace("@DOMAIN@", domain),
        timeout=300,
    )
    compose = f"docker compose --project-directory {PLACE}"
    instance.server.run(f"{compose} up --detach --quiet-pull db redis 2>&1", timeout=300)
    ready = f"{compose} exec -T db pg_isready --host 127.0.0.1"
    wait_until("the database is there", lambda: instance.succeeds(ready), 60)
    instance.run(f"{compose} run --rm -T web bundle exec rails db:prepare 2>&1")
    instance.server.run(f"{compose} up --detach --quiet-pull 2>&1", timeout=300)
    instance.run(f"docker tag {versions.NGINX_IMAGE} jwilder/nginx-proxy:alpine")
    instance.run(f"docker compose --project-directory {EDGE} up --detach 2>&1")
    wait_until("the old instance serves", lambda: instance.serves("/health"), 60)


@pytest.fixture(name="hand", scope="module")
def _hand(world: World, pytestconfig: pytest.Config) -> ByHand:
    """The instance of before, with an account, a post and a picture. With --keep, where an earlier run left it."""
    instance, kept = Instance(world), f"{PLACE}/kept.json"
    if not (pytestconfig.getoption("--keep") and instance.succeeds(f"test -s {kept}")):
        instance = bare_server(world, pytestconfig)
        set_up(instance)
        tootctl = "bin/tootctl accounts create keeper --email keeper@example.org --confirmed --approve"
        printed = instance.run(f"docker exec mastodon-by-hand-web-1 {tootctl}")
        password = printed.split("New password: ")[1].split()[0]
        form = ("--data-urlencode", "email=keeper@example.org", "--data-urlencode", f"password={password}")
        token = json.loads(instance.visit("/_lab/token", *form).body)["access_token"]
        bearer = ("--header", f"Authorization: Bearer {token}")
        media = instance.visit("/api/v2/media", "--form", "file=@-;filename=a.gif;type=image/gif", *bearer, stdin=GIF)
        picture = json.loads(media.body)["url"].partition(instance.domain)[2]
        instance.run("docker exec mastodon-by-hand-redis-1 redis-cli SET lab:by-hand 4711")
        instance.run(f"cat >{kept}", stdin=json.dumps([token, picture]))
    token, picture = json.loads(instance.run(f"cat {kept}"))
    lines = instance.run(f"cat {PLACE}/.env.production").splitlines()
    hand = ByHand(instance, token, picture, dict(line.split("=", 1) for line in lines if "=" in line))
    hand.post("written by hand")
    return hand


def test_a_report_says_what_becomes_of_each_part_and_changes_nothing(hand: ByHand) -> None:
    look = "docker ps --all --no-trunc --format '{{.ID}} {{.State}}'; find /srv /var/lib/mstdn /etc/docker 2>/dev/null"
    before = hand.instance.run(look, check=False)
    for run in (hand.instance.plan(ADOPT, **SAME), hand.instance.converge(ADOPT, **SAME)):
        assert run.planned == run.changed == []
        for words in (
            f"The Mastodon in {PLACE} (project mastodon-by-hand): {hand.instance.domain}, {RELEASE}",
            "PostgreSQL 15.",
            "linked, so that they take no more room",
            "edge-nginx-proxy-1: stopped and kept",
            f"--data yes={hand.instance.domain}",
        ):
            assert words in run.stderr, run.stderr
        assert SMTP_PASSWORD not in run.stderr and hand.environment["SECRET_KEY_BASE"] not in run.stderr
    assert hand.instance.run(look, check=False) == before


def test_settings_that_do_not_agree_are_told_before_anything(hand: ByHand) -> None:
    said = hand.instance.refusal(ADOPT, yes="another.example.org", smtp_server="smtp.example.net", **SAME)
    assert 'smtp_server = "mail.example.net"' in said and "is not the name of this instance" in said
    assert "Nothing was changed" in said


def test_a_database_that_cannot_be_loaded_is_told_and_the_old_instance_serves_on(hand: ByHand) -> None:
    # As an index that another Debian's rules have broken.
    broken = (
        "CREATE TABLE twice (a int); INSERT INTO twice VALUES (1), (1); CREATE INDEX broken ON twice (a); UPDATE "
        "pg_index SET indisunique = true WHERE indexrelid = 'broken'::regclass"
    )
    sql = "docker exec -i mastodon-by-hand-db-1 psql -U postgres postgres"
    hand.instance.run(sql, stdin=broken)
    said = hand.instance.refusal(ADOPT, yes=hand.instance.domain, **SAME)
    assert "The dump could not be loaded" in said and "could not create unique index" in said
    assert "The old instance serves on" in said
    assert "written by hand" in hand.posts()
    # Nobody must make a new instance beside it now.
    assert "was begun and is not finished" in hand.instance.refusal(**SAME)
    hand.instance.run(sql, stdin="DROP TABLE twice")


def kill_at(hand: ByHand, step: str) -> None:
    said = f"journalctl --identifier mstdn-adopt --output cat --since -60s | tail -n 1 | grep -q '^{step}'"
    wait_until(f"the take-over is at {step}", lambda: hand.instance.succeeds(said), 120, 0.05)
    # The program itself: what systemd starts afterwards is its own affair.
    hand.instance.run(f"systemctl kill --signal KILL --kill-whom main {UNIT}")


def test_one_that_is_killed_while_it_retires_the_old_instance_lets_it_serve_again(hand: ByHand) -> None:
    # All is dumped then: what somebody posts afterwards would be missing if it were not dumped once more.
    killer = threading.Thread(target=kill_at, args=(hand, "7 of 7"))
    killer.start()
    hand.instance.refusal(ADOPT, yes=hand.instance.domain, **SAME)
    killer.join()
    wait_until("the old instance serves", lambda: hand.instance.serves(f"/api/v2/instance?at={time.time()}"), 60)
    assert hand.states() == {"running always", "running unless-stopped"}
    hand.post("between two attempts")


def test_it_becomes_the_suites_with_all_that_it_has(hand: ByHand) -> None:
    run = hand.instance.converge(ADOPT, yes=hand.instance.domain, **SAME)
    assert "7 of 7" in run.stderr and "To go back, on the server: sh /var/lib/mstdn/go-back" in run.stderr
    assert f"the certificate of {hand.instance.domain} is carried over" in run.stderr
    posts = hand.posts()
    assert "written by hand" in posts and "between two attempts" in posts
    hand.post("with the token of before")
    picture = hand.instance.visit(hand.picture, "--head")
    assert (picture.status, picture.header("Content-Type")) == (200, "image/gif")
    secrets = hand.instance.secrets()
    for name in ("SECRET_KEY_BASE", "VAPID_PUBLIC_KEY", "VAPID_PRIVATE_KEY", "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY"):
        assert secrets[name] == hand.environment[name], name
    described = json.loads(hand.instance.visit("/api/v2/instance").body)
    assert described["version"] == RELEASE.removeprefix("v")
    checked = hand.instance.inside("mstdn", "web", "bin/rails _lab:check_keys").splitlines()[-1]
    assert checked == "unreadable: 0"
    ask = 'REDISCLI_AUTH=$(cut -d " " -f 2 /run/secrets/redis.conf) redis-cli GET lab:by-hand'
    assert hand.instance.inside("mstdn", "redis", ask).strip() == "4711"
    assert hand.instance.inside("mstdn", "db", "psql -U postgres -c 'SHOW server_version'").split()[2].startswith("17")
    network = "docker network inspect --format '{{.Internal}}' back-mstdn"
    assert hand.instance.run(network).strip() == "true"


def test_the_old_containers_and_files_are_kept_and_nothing_starts_them(hand: ByHand) -> None:
    assert hand.states() == {"exited no"}
    assert hand.instance.succeeds(f"test -s {PLACE}/postgres/PG_VERSION && test -s {PLACE}/public{hand.picture}")
    notes = "cat /var/lib/mstdn/adoption /var/lib/mstdn/go-back"
    arguments = hand.instance.run(f"journalctl --unit {UNIT} --output cat; {notes}")
    for name in ("SECRET_KEY_BASE", "VAPID_PRIVATE_KEY", "SMTP_PASSWORD"):
        assert hand.environment[name] not in arguments


def test_a_second_run_and_a_deployment_change_nothing(hand: ByHand) -> None:
    again = hand.instance.converge(ADOPT, yes=hand.instance.domain, **SAME)
    assert again.changed == [] and "was taken over already" in again.stderr
    assert hand.instance.converge(**SAME).changed == []


def test_there_is_a_way_back(hand: ByHand) -> None:
    # Somebody is on a network that has to be made anew.
    stranger = f"docker run --detach --name stranger --network back-mstdn --entrypoint sleep {versions.NGINX_IMAGE} 600"
    hand.instance.run(stranger)
    hand.instance.run("sh /var/lib/mstdn/go-back 2>&1")
    on = "docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' stranger"
    assert hand.instance.run(f"{on}; docker network inspect --format '{{{{.Internal}}}}' back-mstdn").split() == [
        "back-mstdn",
        "false",
    ]
    hand.instance.run("docker rm --force stranger")
    wait_until("the old instance serves", lambda: hand.instance.serves(f"/api/v2/instance?at={time.time()}"), 60)
    posts = hand.posts()
    assert "between two attempts" in posts and "with the token of before" not in posts
    assert hand.states() == {"running always", "running unless-stopped"}
