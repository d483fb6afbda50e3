"""Secrets, database, assets and containers of the running instance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mstdn import versions
from tests.e2e.instance import SECRET_NAMES, SECRETS_FILE, SERVICES, Instance

ALL_SERVICES = [(project, service) for project, services in SERVICES.items() for service in services]
each_service = pytest.mark.parametrize(("project", "service"), ALL_SERVICES)

# --- Secrets ------------------------------------------------------------------------------------

FORMS = {
    "SECRET_KEY_BASE": "[0-9a-f]{128}",
    "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY": "[A-Za-z0-9]{32}",
    "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT": "[A-Za-z0-9]{32}",
    "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY": "[A-Za-z0-9]{32}",
    "VAPID_PRIVATE_KEY": "[A-Za-z0-9_-]{43}=|[A-Za-z0-9_-]{42}==|[A-Za-z0-9_-]{40}",
    "VAPID_PUBLIC_KEY": "[A-Za-z0-9_-]{87}=",
    "POSTGRES_PASSWORD": "[0-9a-f]{64}",
    "DB_PASS": "[0-9a-f]{64}",
    "REDIS_PASSWORD": "[0-9a-f]{64}",
}


def test_every_secret_has_the_form_that_mastodon_makes(instance: Instance) -> None:
    secrets = instance.secrets()
    assert set(secrets) == set(SECRET_NAMES)
    assert [name for name, form in FORMS.items() if not re.fullmatch(form, secrets[name])] == []
    assert len(set(secrets.values())) == len(secrets)


@contextmanager
def damaged(instance: Instance, command: str) -> Iterator[str]:
    """The secrets file as this command leaves it. Yields its checksum; what is there is kept and put back."""
    instance.run(f"cp --preserve=all {SECRETS_FILE} {SECRETS_FILE}.kept && {command}")
    try:
        yield instance.run(f"cat {SECRETS_FILE} 2>/dev/null | sha256sum")
    finally:
        instance.run(f"mv {SECRETS_FILE}.kept {SECRETS_FILE}")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(f"sed -i 's/^VAPID_PRIVATE_KEY=..../VAPID_PRIVATE_KEY=/' {SECRETS_FILE}", id="a damaged key"),
        pytest.param(f"sed -i '/^ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY=/d' {SECRETS_FILE}", id="a lost key"),
        pytest.param(f"truncate --size=300 {SECRETS_FILE}", id="half of the file"),
        pytest.param(f"rm {SECRETS_FILE}", id="no file"),
    ],
)
def test_damaged_secrets_stop_the_run_and_are_not_touched(instance: Instance, command: str) -> None:
    with damaged(instance, command) as before:
        for files in ((), ("tasks/secrets.py",)):
            refusal = instance.refusal(*files)
            assert SECRETS_FILE in refusal and "backup" in refusal
            assert not [value for value in instance.secrets().values() if value and value in refusal]
        assert instance.run(f"cat {SECRETS_FILE} 2>/dev/null | sha256sum") == before
    assert instance.converge().changed == []


@pytest.mark.parametrize(
    ("service", "names"),
    [
        ("web", {*SECRET_NAMES, "SMTP_PASSWORD"} - {"POSTGRES_PASSWORD"}),
        ("sidekiq", {*SECRET_NAMES, "SMTP_PASSWORD"} - {"POSTGRES_PASSWORD"}),
        ("streaming", {"DB_PASS", "REDIS_PASSWORD"}),
    ],
)
def test_each_container_has_exactly_its_part_of_the_secrets(instance: Instance, service: str, names: set[str]) -> None:
    lines = instance.inside("mstdn", service, "cat /opt/mastodon/.env.production").splitlines()
    assert {line.partition("=")[0] for line in lines} == names


# --- Database and Redis -------------------------------------------------------------------------


def query(instance: Instance, sql: str) -> str:
    """As PostgreSQL's superuser, over its socket, with the password that only the container has."""
    password = "PGPASSWORD=$(cat /run/secrets/postgres-superuser-password)"
    return instance.inside(
        "mstdn", "db", f'{password} psql --username postgres --dbname mastodon_production -A -t -c "{sql}"'
    ).strip()


def test_the_database_is_mastodons_and_has_its_schema(instance: Instance) -> None:
    assert (
        query(instance, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")
        == "mastodon"
    )
    assert (
        query(instance, "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = 'mastodon'")
        == "f"
    )
    assert int(query(instance, "SELECT count(*) FROM schema_migrations")) > 0
    assert query(instance, "SHOW data_checksums") == "on"


def test_nobody_gets_into_the_database_without_a_password(instance: Instance) -> None:
    assert query(instance, "SHOW password_encryption") == "scram-sha-256"
    rules = query(instance, "SELECT DISTINCT auth_method FROM pg_hba_file_rules WHERE type <> 'local'").split()
    assert rules == ["scram-sha-256"]
    for host in ("db", "127.0.0.1"):
        wrong = (
            f"PGPASSWORD=wrong psql --host {host} --username mastodon --dbname mastodon_production -c 'SELECT 1' 2>&1"
        )
        assert "password authentication failed" in instance.inside("mstdn", "db", wrong, check=False)


def test_the_database_has_room_for_parallel_queries(instance: Instance) -> None:
    assert instance.inspect("mstdn", "db")["HostConfig"]["ShmSize"] == 256 * 1024 * 1024


def test_redis_wants_a_password_keeps_everything_and_evicts_nothing(instance: Instance) -> None:
    assert "NOAUTH" in instance.inside("mstdn", "redis", "redis-cli PING 2>&1")
    with_password = "REDISCLI_AUTH=$(cut -d ' ' -f 2 /run/secrets/redis.conf) redis-cli"
    for name, value in (("maxmemory-policy", "noeviction"), ("appendonly", "yes")):
        assert instance.inside("mstdn", "redis", f"{with_password} CONFIG GET {name}").split() == [name, value]


def test_a_lost_database_directory_stops_the_run(instance: Instance) -> None:
    # The running PostgreSQL does not notice: its mount follows the directory.
    instance.run("mv /srv/mastodon/database /srv/mastodon/away && mkdir /srv/mastodon/database")
    try:
        refusal = instance.refusal("tasks/database.py")
        assert "/srv/mastodon/database" in refusal and "backup" in refusal
        assert instance.run("ls -A /srv/mastodon/database") == ""
    finally:
        instance.run("rmdir /srv/mastodon/database && mv /srv/mastodon/away /srv/mastodon/database")


def test_another_local_domain_is_refused_for_ever(instance: Instance) -> None:
    refusal = instance.refusal(local_domain="example.org", preflight_dns="skip")
    assert "social.example.org" in refusal and "never" in refusal


@pytest.mark.parametrize(
    ("version", "words"),
    [
        pytest.param("v4.7.5", f'mastodon_version = "{versions.MASTODON}"', id="an older patch"),
        pytest.param("v4.6.9", f'mastodon_version = "{versions.MASTODON}"', id="an older minor release"),
        pytest.param("v4.9.0", "v4.8", id="a skipped minor release"),
    ],
)
def test_a_release_that_cannot_follow_is_refused_with_the_next_that_can(
    instance: Instance, version: str, words: str
) -> None:
    refusal = instance.refusal(mastodon_version=version)
    assert version in refusal and words in refusal


# --- Containers ---------------------------------------------------------------------------------


@each_service
def test_a_container_is_healthy_and_comes_back_by_itself(instance: Instance, project: str, service: str) -> None:
    state = instance.inspect(project, service)
    assert state["State"]["Status"] == "running"
    assert state["State"].get("Health", {"Status": "healthy"})["Status"] == "healthy"
    assert ("Health" in state["State"]) or service == "acme-companion"
    assert state["HostConfig"]["RestartPolicy"]["Name"] == "always"


MAY = {
    ("proxy", "nginx"): {"CHOWN", "DAC_OVERRIDE", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"},
    ("proxy", "docker-gen"): {"DAC_OVERRIDE"},
    ("proxy", "acme-companion"): {"CHOWN", "DAC_OVERRIDE", "FOWNER"},
}


@each_service
def test_a_container_has_no_power_that_it_does_not_need(instance: Instance, project: str, service: str) -> None:
    found = instance.inspect(project, service)
    host = found["HostConfig"]
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert {name.removeprefix("CAP_") for name in host["CapAdd"] or []} <= MAY.get((project, service), set())
    assert "no-new-privileges:true" in host["SecurityOpt"]
    for controller, limit in (("memory", host["Memory"]), ("pids", host["PidsLimit"])):
        # Docker drops what the kernel cannot limit.
        assert limit or not instance.succeeds(f"grep -qw {controller} /sys/fs/cgroup/cgroup.controllers"), controller
    assert host["PidMode"] == host["UTSMode"] == "" and host["IpcMode"] in ("private", "shareable")
    status = instance.run(f"cat /proc/{found['State']['Pid']}/status")
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)


@pytest.mark.parametrize("service", SERVICES["mstdn"])
def test_nothing_of_the_instance_is_root_or_writes_to_its_own_image(instance: Instance, service: str) -> None:
    found = instance.inspect("mstdn", service)
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    status = instance.run(f"cat /proc/{found['State']['Pid']}/status")
    user = re.search(r"^Uid:\t(\d+)\t(\d+)", status, re.MULTILINE)
    assert user and "0" not in user.groups()
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE) and re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)


def test_only_http_and_https_are_published(instance: Instance) -> None:
    published = {
        (project, service): sorted(
            port for port, bound in (instance.inspect(project, service)["NetworkSettings"]["Ports"]).items() if bound
        )
        for project, service in ALL_SERVICES
    }
    assert {key: ports for key, ports in published.items() if ports} == {("proxy", "nginx"): ["443/tcp", "80/tcp"]}


def test_only_the_filter_holds_the_docker_socket(instance: Instance) -> None:
    holders = [
        (project, service)
        for project, service in ALL_SERVICES
        if any("docker.sock" in mount["Source"] for mount in instance.inspect(project, service)["Mounts"])
    ]
    assert holders == [("proxy", "socket-proxy")]


# --- The filter in front of Docker --------------------------------------------------------------


def ask_docker(instance: Instance, neighbour: str, method: str, path: str) -> int:
    """The status that a program in the network of a service gets from the filter."""
    network = f"--network container:{instance.container('proxy', neighbour)}"
    curl = f"curl --silent --output /dev/null --max-time 10 --write-out '%{{http_code}}' --request {method}"
    return int(instance.run(f"docker run --rm {network} {versions.NGINX_IMAGE} {curl} http://socket-proxy:2375{path}"))


@pytest.mark.parametrize("neighbour", ["docker-gen", "acme-companion"])
@pytest.mark.parametrize("path", ["/version", "/v1.43/containers/json", "/containers/{nginx}/json", "/networks"])
def test_the_filter_lets_the_proxy_look(instance: Instance, neighbour: str, path: str) -> None:
    path = path.format(nginx=instance.container("proxy", "nginx"))
    assert ask_docker(instance, neighbour, "GET", path) == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/containers/create"),
        ("POST", "/v1.43/containers/create?name=x"),
        ("POST", "/containers/{nginx}/exec"),
        ("POST", "/containers/{nginx}/stop"),
        ("POST", "/containers/{nginx}/kill/../../create"),
        ("GET", "/containers/{nginx}/archive?path=/etc/passwd"),
        ("GET", "/containers/{nginx}/logs?stdout=1"),
        ("GET", "/containers/{nginx}/export"),
        ("GET", "/containers/{nginx}/json/../../../images/json"),
        ("GET", "/images/json"),
        ("GET", "/secrets"),
        ("DELETE", "/containers/{nginx}"),
        ("PUT", "/containers/{nginx}/archive?path=/"),
    ],
)
def test_the_filter_refuses_everything_else(instance: Instance, method: str, path: str) -> None:
    path = path.format(nginx=instance.container("proxy", "nginx"))
    assert ask_docker(instance, "docker-gen", method, path) in (400, 403, 404, 405)


def test_the_filter_does_not_speak_to_strangers(instance: Instance) -> None:
    curl = "curl --silent --output /dev/null --max-time 10 --write-out '%{http_code}' http://socket-proxy:2375/version"
    command = f"docker run --rm --network proxy_control {versions.NGINX_IMAGE} {curl}"
    assert instance.run(command, check=False).strip() in ("403", "000")


# --- Assets -------------------------------------------------------------------------------------


def test_the_published_assets_are_those_of_the_running_image(instance: Instance) -> None:
    image = instance.inspect("mstdn", "web")["Image"]
    current = instance.run("readlink -f /srv/mastodon/assets/current").strip()
    assert current.endswith(f"{versions.MASTODON}-{image.removeprefix('sha256:')[:12]}")
    command = "cd {} && find assets packs -type f -exec sha256sum {{}} + | sort"
    there = instance.run(command.format(current))
    assert there and there == instance.inside("mstdn", "web", command.format("/opt/mastodon/public"))


def test_assets_that_were_half_copied_are_published_anew(instance: Instance) -> None:
    current = instance.run("readlink -f /srv/mastodon/assets/current").strip()
    instance.run(f"rm -r {current}/packs {current}/.complete")
    assert instance.converge("tasks/assets.py").changed
    assert instance.succeeds(f"test -d {current}/packs")
    assert instance.converge("tasks/assets.py").changed == []


def test_the_sizes_fit_the_memory_of_the_server(instance: Instance) -> None:
    settings = json.loads(instance.run("docker compose --project-directory /srv/mastodon config --format json"))
    memory = int(instance.run("awk '$1 == \"MemTotal:\" { print $2 }' /proc/meminfo")) // 1024
    buffers = next(
        word.partition("=")[2] for word in settings["services"]["db"]["command"] if word.startswith("shared_buffers=")
    )
    assert query(instance, "SHOW shared_buffers") == buffers or int(buffers.removesuffix("MB")) % 1024 == 0
    assert int(buffers.removesuffix("MB")) <= memory // 4
