"""Checkout, configuration and images."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mstdn import versions
from tests.e2e.instance import Instance

# --- Checkout -----------------------------------------------------------------------------------

SOURCE = "/srv/mastodon/source"


def test_the_checkout_is_the_release_and_nothing_more(instance: Instance) -> None:
    assert instance.run(f"git -C {SOURCE} describe --tags --exact-match").strip() == versions.MASTODON
    assert instance.run(f"git -C {SOURCE} rev-list --count --all").strip() == "1"
    assert instance.run(f"git -C {SOURCE} status --porcelain") == ""


@contextmanager
def modified_checkout(instance: Instance) -> Iterator[None]:
    instance.run(f"echo 'the operator was here' >>{SOURCE}/README.md")
    try:
        yield
    finally:
        instance.run(f"git -C {SOURCE} checkout --quiet -- README.md")


def test_modifications_in_the_checkout_stay_and_are_not_lost_to_another_release(instance: Instance) -> None:
    with modified_checkout(instance):
        assert instance.converge("tasks/checkout.py").changed == []
        assert "README.md" in instance.refusal("tasks/checkout.py", mastodon_version="v4.7.5")
        assert instance.succeeds(f"grep -q 'the operator was here' {SOURCE}/README.md")


def test_a_release_that_does_not_exist_is_named(instance: Instance) -> None:
    assert "v4.7.999" in instance.refusal("tasks/checkout.py", mastodon_version="v4.7.999")


# --- Configuration ------------------------------------------------------------------------------

ACCESS = """\
755 0:0 /srv/mastodon
644 0:0 /srv/mastodon/compose.yaml
644 0:0 /srv/mastodon/mastodon.env
644 0:0 /srv/mastodon/streaming.env
755 0:0 /srv/mastodon/nginx
644 0:0 /srv/mastodon/nginx/nginx.conf
700 999:999 /srv/mastodon/database
700 999:999 /srv/mastodon/redis
755 991:991 /srv/mastodon/media
700 0:0 /srv/mastodon/secrets
600 0:0 /srv/mastodon/secrets/operator.env
400 991:991 /srv/mastodon/secrets/mastodon.env
400 991:991 /srv/mastodon/secrets/streaming.env
400 999:999 /srv/mastodon/secrets/postgres-password
400 999:999 /srv/mastodon/secrets/redis.conf
755 0:0 /srv/proxy
644 0:0 /srv/proxy/compose.yaml
644 0:0 /srv/proxy/vhost.d/social.example.org
700 0:0 /srv/proxy/acme
"""


def test_every_file_has_its_owner_and_mode(instance: Instance) -> None:
    paths = " ".join(line.split()[2] for line in ACCESS.splitlines())
    assert instance.run(f"stat -c '%a %u:%g %n' {paths}") == ACCESS


@pytest.mark.parametrize("root", ["/srv/mastodon", "/srv/proxy"])
def test_compose_accepts_the_project(instance: Instance, root: str) -> None:
    assert instance.server.run(f"docker compose --project-directory {root} config --quiet").stderr == ""


def test_compose_reads_the_environment_as_it_was_set(instance: Instance) -> None:
    values = {"AUTHORIZED_FETCH": "true", "UPDATE_CHECK_URL": "", "EXTRA_MEDIA_HOSTS": 'a $HOME ${X:?} # "q" \\n `id`'}
    try:
        instance.converge("tasks/configuration.py", mastodon_environment=values)
        config = json.loads(instance.run("docker compose --project-directory /srv/mastodon config --format json"))
    finally:
        instance.converge()
    # In this output a dollar is written twice.
    environment = {name: value.replace("$$", "$") for name, value in config["services"]["web"]["environment"].items()}
    assert {name: environment[name] for name in values} == values


def test_both_nginx_accept_their_configuration(instance: Instance) -> None:
    instance.inside("mstdn", "nginx", "nginx -t -c /etc/nginx/mstdn/nginx.conf")
    instance.inside("proxy", "nginx", "nginx -t")


def test_files_that_somebody_changed_are_put_right_and_strays_removed(instance: Instance) -> None:
    before = instance.run("sha256sum /srv/mastodon/mastodon.env /srv/mastodon/nginx/* /srv/proxy/vhost.d/*")
    instance.run(
        "echo LOCAL_DOMAIN=evil.example.org >>/srv/mastodon/mastodon.env; chmod 0666 /srv/proxy/compose.yaml;"
        " touch /srv/mastodon/nginx/stray.conf; rm /srv/proxy/vhost.d/*"
    )
    plan = instance.plan().planned
    # What was changed by hand may be in use by now: both projects are looked after as well, and the plan says so.
    assert plan == [
        "tasks/configuration.py | Write the configuration of Mastodon",
        "tasks/configuration.py | Write the configuration of the proxy",
        "tasks/proxy.py | Start the proxy",
        "tasks/app.py | Start Mastodon",
    ]
    assert instance.converge().changed == plan
    assert instance.converge().changed == []
    assert instance.run("sha256sum /srv/mastodon/mastodon.env /srv/mastodon/nginx/* /srv/proxy/vhost.d/*") == before
    assert instance.run("stat -c %a /srv/proxy/compose.yaml").strip() == "644"


def test_what_somebody_gave_to_root_with_all_that_is_in_it_is_given_back(instance: Instance) -> None:
    deep = "/srv/mastodon/media/accounts/avatars/000/000/001"
    instance.run(f"mkdir -p {deep} && echo picture >{deep}/a.png && chown -R 991:991 /srv/mastodon/media/accounts")
    started = instance.started()
    instance.run(
        "chown -R root:root /srv/mastodon/redis /srv/mastodon/media && chmod -R go-rwx /srv/mastodon/media"
        " && chown -R 1000:1000 /srv/proxy/acme /srv/proxy/certs && chown -R nobody /srv/mastodon/database"
    )
    plan = instance.plan()
    wrong = [f"/srv/mastodon/{each}" for each in ("media", "redis", "database")] + ["/srv/proxy/acme"]
    for directory in wrong:
        assert f"as all in {directory} must be" in plan.stderr, plan.stderr
    assert set(instance.converge().changed) == set(plan.planned)
    assert instance.converge().changed == []
    # They go on, and can write again.
    assert instance.started() == started
    assert instance.run(f"stat -c '%a %u:%g' {deep}/a.png").strip() == "644 991:991"
    assert instance.visit("/system/accounts/avatars/000/000/001/a.png").body == "picture\n"
    instance.inside("mstdn", "web", "touch public/system/accounts/b && rm public/system/accounts/b")
    save = 'REDISCLI_AUTH=$(cut -d " " -f 2 /run/secrets/redis.conf) redis-cli save'
    assert instance.inside("mstdn", "redis", save).strip() == "OK"
    instance.inside("mstdn", "db", "psql -U postgres -c 'CREATE TABLE given_back (a int)' -c 'DROP TABLE given_back'")
    instance.run(f"rm -r {deep}")


def test_what_root_has_set_for_compose_makes_no_second_mastodon_on_the_same_files(instance: Instance) -> None:
    # As /etc/environment does for whoever logs in as root.
    instance.run("echo COMPOSE_PROJECT_NAME=other >/root/environment")
    instance.run("echo 'Defaults env_file=/root/environment' >/etc/sudoers.d/environment")
    try:
        instance.converge(default_locale="de")
        assert instance.run("docker ps --all --quiet --filter label=com.docker.compose.project=other") == ""
        assert "DEFAULT_LOCALE=de" in instance.inside("mstdn", "web", "env")
    finally:
        instance.run("rm /root/environment /etc/sudoers.d/environment")
        instance.converge()


def test_what_env_says_to_compose_is_refused_by_name(instance: Instance) -> None:
    instance.run("echo COMPOSE_PROJECT_NAME=other >/srv/proxy/.env")
    try:
        assert "/srv/proxy/.env sets COMPOSE_PROJECT_NAME" in instance.refusal()
    finally:
        instance.run("rm /srv/proxy/.env")
    assert instance.converge().changed == []


def test_mastodon_does_not_start_by_files_that_are_not_what_the_settings_say(instance: Instance) -> None:
    said = instance.refusal("tasks/app.py", default_locale="de")
    assert "/srv/mastodon/mastodon.env" in said and "deploy.py" in said and "Nothing was changed" in said
    assert instance.converge("tasks/app.py").changed == []


def test_dead_variables_of_old_guides_are_refused(instance: Instance) -> None:
    refusal = instance.refusal(mastodon_environment={"OTP_SECRET": "x" * 128})
    assert "OTP_SECRET" in refusal and "remove" in refusal
    assert "x" * 128 not in refusal


# --- What is in the place of a file --------------------------------------------------------------


def test_a_directory_in_the_place_of_a_file_is_named_before_the_first_change_and_stays(instance: Instance) -> None:
    paths = [f"/srv/mastodon/{name}" for name in (".env", "secrets/redis.conf", "state/applied", "state/installed.env")]
    paths += ["/srv/proxy/state/mounted", "/var/lib/mstdn/firewall", "/etc/apt/keyrings/docker.asc"]
    paths += ["/etc/mstdn/firewall.nft", "/etc/sysctl.d/60-mastodon-swap.conf"]
    before = instance.started()
    for path in paths:
        instance.run(f"mv {path} {path}.kept && mkdir {path} && touch {path}/somebodys")
    try:
        refusal = instance.refusal()
        for path in paths:
            assert f"{path} exists and is something else instead of a regular file: look at it, move it away" in refusal
            instance.run(f"test -e {path}/somebodys")
        assert "Nothing was changed." in refusal
    finally:
        for path in paths:
            instance.run(f"rm -r {path} && mv {path}.kept {path}")
    assert instance.converge().changed == []
    assert instance.started() == before


def test_the_empty_directory_that_docker_makes_where_a_file_is_missing_gives_way(instance: Instance) -> None:
    path = "/srv/mastodon/nginx/upstreams.conf"
    instance.run(f"rm {path} && mkdir {path}")
    plan = instance.plan()
    assert f"{path} is an empty directory, as Docker makes one where a file is missing" in plan.stderr
    assert instance.converge().changed == plan.planned
    instance.run(f"test -s {path}")
    assert instance.serves("/health")
    assert instance.converge().changed == []


# --- Images -------------------------------------------------------------------------------------

RECORD = "/srv/mastodon/state/images"
REDIS = versions.REDIS_IMAGE
# Run where the registry is: has the tag stand for a rebuilt image (same layers, another configuration), or, with a
# manifest on standard input, for what it stood for before. Prints the manifest that it replaced, then the new digest.
MOVE_TAG = """
import hashlib, json, sys, urllib.request
repository = "http://127.0.0.1:5000/v2/docker.io/library/redis"
kind = "application/vnd.docker.distribution.manifest.v2+json"
def ask(path, data=None, method="GET", **headers):
    url = path if path.startswith("http") else repository + path
    return urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method))
old = ask("/manifests/TAG", Accept=kind).read()
new = sys.stdin.buffer.read()
if not new:
    manifest = json.loads(old)
    configuration = json.load(ask("/blobs/" + manifest["config"]["digest"]))
    blob = json.dumps(configuration | {"comment": "rebuilt"}).encode()
    digest = "sha256:" + hashlib.sha256(blob).hexdigest()
    place = ask("/blobs/uploads/", b"", "POST").headers["Location"]
    ask(place + "&digest=" + digest, blob, "PUT", **{"Content-Type": "application/octet-stream"})
    manifest["config"] |= {"digest": digest, "size": len(blob)}
    new = json.dumps(manifest).encode()
ask("/manifests/TAG", new, "PUT", **{"Content-Type": kind})
sys.stdout.write(old.decode() + "\\0sha256:" + hashlib.sha256(new).hexdigest())
""".replace("TAG", REDIS.partition(":")[2])


def recorded(instance: Instance) -> dict[str, str]:
    return dict(line.split() for line in instance.run(f"cat {RECORD}").splitlines())


def test_every_image_is_recorded_with_the_digest_that_the_registry_gave(instance: Instance) -> None:
    record = recorded(instance)
    assert set(record) == {
        f"ghcr.io/mastodon/mastodon:{versions.MASTODON}",
        f"ghcr.io/mastodon/mastodon-streaming:{versions.MASTODON}",
        versions.POSTGRES_IMAGE,
        versions.REDIS_IMAGE,
        versions.NGINX_IMAGE,
        versions.DOCKER_GEN_IMAGE,
        versions.ACME_COMPANION_IMAGE,
        versions.SOCKET_PROXY_IMAGE,
    }
    for reference, digest in record.items():
        assert digest in instance.run(f"docker image inspect --format '{{{{.RepoDigests}}}}' {reference}"), reference


@contextmanager
def moved_tag(instance: Instance) -> Iterator[str]:
    """Redis was built anew under the same tag. Yields the new digest."""

    def move(manifest: str = "") -> tuple[str, str]:
        internet = instance.world.internet
        old, _, digest = internet.run(f"python3 -c {shlex.quote(MOVE_TAG)}", stdin=manifest).stdout.partition("\0")
        return old, digest

    original, digest = move()
    try:
        yield digest
    finally:
        move(original)


def test_a_tag_that_moved_is_noticed_and_accepted_only_on_request(instance: Instance) -> None:
    before = recorded(instance)[REDIS]
    with moved_tag(instance) as moved:
        # Its container goes on without the name.
        instance.run(f"docker image rm --force {REDIS}")
        refusal = instance.refusal("tasks/images.py")
        assert REDIS in refusal and before in refusal and moved in refusal and "images_refresh" in refusal
        assert recorded(instance)[REDIS] == before
        assert instance.converge("tasks/images.py", images_refresh=True).changed
        assert recorded(instance)[REDIS] == moved
        assert instance.converge("tasks/images.py").changed == []
    assert instance.converge("tasks/images.py", images_refresh=True).changed
    assert recorded(instance)[REDIS] == before
    # The one that was taken for a moment has no name any more, and nothing runs on it.
    assert instance.converge().changed == ["tasks/cleanup.py | Remove images that nothing needs any more"]


def test_an_image_that_somebody_tagged_over_is_refused(instance: Instance) -> None:
    instance.run(f"docker tag {REDIS} kept:1 && docker tag {versions.NGINX_IMAGE} {REDIS}")
    try:
        assert REDIS in instance.refusal("tasks/images.py")
    finally:
        instance.run(f"docker tag kept:1 {REDIS} && docker image rm kept:1")
    assert instance.converge().changed == []


def test_an_image_that_cannot_be_had_is_named_and_nothing_stops(instance: Instance) -> None:
    started = instance.started()
    assert "redis:7.4-nowhere1" in instance.refusal("tasks/images.py", redis_image="redis:7.4-nowhere1")
    assert instance.started() == started
