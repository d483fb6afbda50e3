"""The rendered files of both projects, read as the programs read them: YAML, JSON, environment."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import DictLoader, Environment, UndefinedError

from mstdn.app.project import mastodon_project
from mstdn.images.references import pulled_images
from mstdn.layout import MASTODON_SERVICES, PROXY_SERVICES
from mstdn.proxy.project import proxy_project
from mstdn.render import CompiledTemplates, kept_in, render
from mstdn.settings import Settings
from mstdn.shell import SCRIPTS
from tests.harness import settings_with

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBSDCB76ADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHJvb3QwHhcN
MjYwMTAxMDAwMDAwWhcNNDYwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDARyb290MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3u7kSmHrVNjNj3oDc5dvhVzvpiyyrBxE
-----END CERTIFICATE-----
"""

VARIANTS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "another site than handles": {
        "local_domain": "example.org",
        "web_domain": "social.example.org",
        "alternate_domains": ["alice.example.org", "abcdefghij.onion"],
    },
    "object storage": {"s3_enabled": True, "s3_bucket": "media", "s3_endpoint": "https://s3.example.org"},
    "sizes of one's own": {
        "web_processes": 3,
        "postgres_shared_buffers_mib": 512,
        "postgres_memory_mib": 1024,
        "redis_memory_mib": 200,
        "docker_log_files": 7,
        "proxy_body_size_mib": 500,
    },
    "unusual but allowed words": {
        "acme_email": "a!#%&*+/=?^_~-b@example.org",
        "smtp_from_address": "Tom & Jerry {{ 7 * 7 }} #1 (x) <a#b@example.org>",
        "smtp_login": 'user "with" ${SHELL} `id` $(id) \\n # {{ settings }} % & *x: [y]',
        "mastodon_environment": {"A": "{% raw %}", "B": ": # $HOME", "C": "${B:?}", "D": ""},
    },
    "everything elsewhere": {
        "mastodon_root": "/data/instance-1/mastodon",
        "proxy_root": "/data/instance-1/proxy",
        "mastodon_image": "registry.example.org:5000/own/mastodon",
        "postgres_image": "registry.example.org/postgres@sha256:" + "0" * 64,
    },
    "built here": {"mastodon_image_source": "source"},
}


@pytest.fixture(params=[*VARIANTS], name="settings")
def _settings(request: pytest.FixtureRequest) -> Settings:
    return settings_with(**VARIANTS[request.param])


def compose(settings: Settings, project: str, *, ipv6: bool = False) -> dict[str, Any]:
    """The project's compose.yaml, with YAML's anchors resolved."""
    wanted = (
        proxy_project(settings, ipv6=ipv6)
        if project == "proxy"
        else mastodon_project(settings, memory_mib=4096, ipv6=ipv6)
    )
    (file,) = (each for each in wanted.files if each.path.endswith("/compose.yaml"))
    loaded = yaml.load(file.content, yaml.CSafeLoader)
    assert isinstance(loaded, dict)
    return loaded


def services(settings: Settings, project: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose(settings, project)["services"]
    return found


def both(settings: Settings) -> dict[str, dict[str, Any]]:
    """The services of both projects, as "project/service"."""
    return {
        f"{project}/{name}": service
        for project in ("mstdn", "proxy")
        for name, service in services(settings, project).items()
    }


def test_the_projects_have_the_services_that_the_tasks_wait_for(settings: Settings) -> None:
    mastodon = services(settings, "mstdn")
    assert {name for name, service in mastodon.items() if "profiles" not in service} == set(MASTODON_SERVICES)
    assert set(services(settings, "proxy")) == set(PROXY_SERVICES)


@pytest.mark.parametrize("project", ["mstdn", "proxy"])
def test_a_project_has_the_name_that_the_facts_look_for(settings: Settings, project: str) -> None:
    assert compose(settings, project)["name"] == project


def test_every_service_is_hardened_and_bounded(settings: Settings) -> None:
    for name, service in both(settings).items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"] == {
            "max-size": f"{settings.docker_log_size_mib}m",
            "max-file": f"{settings.docker_log_files}",
        }, name
        assert not {"privileged", "container_name", "build", "pid", "devices", "userns_mode"} & set(service), name
        assert not {"network_mode", "ipc"} & set(service), name
        if "profiles" not in service:
            limits = service["deploy"]["resources"]["limits"]
            assert re.fullmatch(r"[1-9]\d*M", limits["memory"]) and limits["pids"] > 0, name


def test_what_scripts_start_beside_the_projects_leaves_no_log_that_grows() -> None:
    texts = {path.name: path.read_text().replace("\\\n", " ") for path in SCRIPTS.rglob("*.sh")}
    runs = [(name, line) for name, text in texts.items() for line in text.splitlines() if "docker run " in line]
    assert len(runs) >= 3
    assert [name for name, line in runs if not re.search("--log-driver none|--log-opt max-size=", line)] == []


def test_everything_of_the_instance_has_a_read_only_root(settings: Settings) -> None:
    assert all(service["read_only"] is True for service in services(settings, "mstdn").values())


def test_every_service_that_others_or_the_suite_wait_for_has_a_health_check(settings: Settings) -> None:
    healthy = {name for name, service in both(settings).items() if "healthcheck" in service}
    assert healthy >= {f"mstdn/{name}" for name in MASTODON_SERVICES} | {"proxy/nginx", "proxy/docker-gen"}
    for project in ("mstdn", "proxy"):
        for service in services(settings, project).values():
            for other, how in service.get("depends_on", {}).items():
                assert how["condition"] != "service_healthy" or f"{project}/{other}" in healthy


def test_nothing_is_published_but_http_and_https_of_the_proxy(settings: Settings) -> None:
    published = {name: service["ports"] for name, service in both(settings).items() if "ports" in service}
    assert {name: sorted(port.rpartition(":")[2] for port in ports) for name, ports in published.items()} == {
        "proxy/nginx": ["443", "80"]
    }


def test_the_proxy_publishes_on_ipv6_where_the_server_has_it() -> None:
    ports = compose(settings_with(), "proxy", ipv6=True)["services"]["nginx"]["ports"]
    assert [port for port in ports if port.startswith("[::]:")] == ["[::]:80:80", "[::]:443:443"]


def test_only_the_filter_holds_the_docker_socket_and_the_proxy_cannot_reach_it(settings: Settings) -> None:
    holders = {
        name for name, service in both(settings).items() if "docker.sock" in json.dumps(service.get("volumes", []))
    }
    assert holders == {"proxy/socket-proxy"}
    on_control = {name for name, service in services(settings, "proxy").items() if "control" in service["networks"]}
    assert on_control == {"docker-gen", "acme-companion", "socket-proxy"}
    assert services(settings, "proxy")["socket-proxy"]["networks"] == ["control"]
    assert compose(settings, "proxy")["networks"]["control"] == {"internal": True}


def test_database_and_redis_have_no_way_out_and_nobody_else_is_in_front(settings: Settings) -> None:
    mastodon = services(settings, "mstdn")
    assert mastodon["db"]["networks"] == mastodon["redis"]["networks"] == ["back-mstdn"]
    assert {name for name, service in both(settings).items() if "front" in service["networks"]} == {
        "mstdn/nginx",
        "proxy/nginx",
    }
    networks = compose(settings, "mstdn")["networks"]
    assert networks["front"] == networks["back-mstdn"] == {"external": True}


def test_nothing_is_mounted_over_the_applications_own_assets(settings: Settings) -> None:
    for name in ("web", "sidekiq", "migrate"):
        targets = [volume.split(":")[1] for volume in services(settings, "mstdn")[name]["volumes"]]
        assert [target for target in targets if target.startswith("/opt/mastodon/public")] == [
            "/opt/mastodon/public/system"
        ]


def test_the_containers_run_the_images_that_the_images_task_provides(settings: Settings) -> None:
    images = {service["image"] for service in both(settings).values()}
    built = {image for image in images if image.startswith("mstdn-source/")}
    assert images - built == set(pulled_images(settings))
    assert len(built) == (2 if settings.mastodon_image_source == "source" else 0)


def test_no_secret_is_in_the_configuration_of_a_container(settings: Settings) -> None:
    """Whoever may ask Docker can read it."""
    secret = re.compile(r"PASS|SECRET|TOKEN|PRIVATE|ENCRYPTION|_KEY(?!SIZE)")
    for name, service in both(settings).items():
        environment = service.get("environment", {})
        assert [key for key in environment if secret.search(key) and not key.endswith("_FILE")] == [], name
    for file in mastodon_project(settings, memory_mib=4096, ipv6=False).files:
        if file.path.endswith(".env"):
            assert [key for key in environment_of(file.content) if secret.search(key)] == [], file.path


def environment_of(text: str) -> dict[str, str]:
    lines = [line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: value[1:-1] if value.startswith("'") else value for name, value in lines}


def test_unusual_words_stay_words() -> None:
    values = VARIANTS["unusual but allowed words"]
    settings = settings_with(**values)
    (file,) = (
        each
        for each in mastodon_project(settings, memory_mib=4096, ipv6=False).files
        if each.path.endswith("mastodon.env")
    )
    environment = environment_of(file.content)
    assert environment["SMTP_LOGIN"] == values["smtp_login"]
    assert environment["SMTP_FROM_ADDRESS"] == values["smtp_from_address"]
    assert {name: environment[name] for name in "ABCD"} == values["mastodon_environment"]
    assert services(settings, "proxy")["acme-companion"]["environment"]["DEFAULT_EMAIL"] == values["acme_email"]


def test_the_companion_gets_the_roots_of_a_private_authority(tmp_path: Path) -> None:
    bundle = tmp_path / "roots.pem"
    bundle.write_text(CERTIFICATE)
    settings = settings_with().model_copy(update={"acme_ca_bundle": str(bundle)})
    companion = services(settings, "proxy")["acme-companion"]
    inside = companion["environment"]["CA_BUNDLE"]
    (mounted,) = (volume for volume in companion["volumes"] if volume.split(":")[1] == inside)
    (file,) = (each for each in proxy_project(settings, ipv6=False).files if each.path.endswith("acme-ca-bundle.pem"))
    assert file.content == CERTIFICATE
    assert file.path == f"{settings.proxy_root}/{mounted.split(':')[0].removeprefix('./')}"
    assert "CA_BUNDLE" not in services(settings_with(), "proxy")["acme-companion"]["environment"]


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({}, "TRUST_DOWNSTREAM_PROXY", "false"),
        ({"proxy_downstream_addresses": ["203.0.113.0/24"]}, "TRUST_DOWNSTREAM_PROXY", "true"),
        ({}, "NON_GET_REDIRECT", "308"),
    ],
)
def test_docker_gen_is_told_how_to_treat_visitors(values: dict[str, Any], name: str, expected: str) -> None:
    assert services(settings_with(**values), "proxy")["docker-gen"]["environment"][name] == expected


@pytest.mark.parametrize(
    ("values", "directory"),
    [
        ({}, "https://acme-v02.api.letsencrypt.org/directory"),
        ({"acme_staging": True}, "https://acme-staging-v02.api.letsencrypt.org/directory"),
        ({"acme_directory": "https://acme.example.org/dir"}, "https://acme.example.org/dir"),
    ],
    ids=["production", "staging", "private"],
)
def test_certificates_come_from_the_chosen_authority(values: dict[str, Any], directory: str) -> None:
    assert services(settings_with(**values), "proxy")["acme-companion"]["environment"]["ACME_CA_URI"] == directory


def test_the_daemon_keeps_logs_short_containers_alive_and_ports_private() -> None:
    settings = settings_with(docker_log_size_mib=5, docker_log_files=2, docker_bind_address="127.0.0.9")
    assert json.loads(render("docker/daemon.json.j2", settings=settings)) == {
        "live-restore": True,
        "log-driver": "json-file",
        "log-opts": {"max-size": "5m", "max-file": "2"},
        "ip": "127.0.0.9",
        "default-network-opts": {"bridge": {"com.docker.network.bridge.host_binding_ipv4": "127.0.0.9"}},
    }
    ipv6 = settings_with(docker_bind_address="::1")
    assert "default-network-opts" not in json.loads(render("docker/daemon.json.j2", settings=ipv6))


def test_a_template_that_lacks_a_value_is_an_error_and_not_an_empty_word() -> None:
    with pytest.raises(UndefinedError):
        render("docker/daemon.json.j2")


ESTABLISHED = "  {}: 0400A8C0:D3A2 0200A8C0:0947 01 00000000:00000000 02:00000CB6 00000000     0        0 4242 2 0\n"
# The end of one that was closed, and one to somebody else's port from a port of that number.
OTHERS = (
    "   8: 0400A8C0:D3A0 0200A8C0:0947 06 00000000:00000000 03:00000B1D 00000000     0        0 0 3 0\n"
    "   9: 0400A8C0:0947 0200A8C0:01BB 01 00000000:00000000 02:00000CB6 00000000     0        0 4243 2 0\n"
)


@pytest.mark.parametrize(
    ("connections", "healthy"),
    [
        pytest.param(0, False, id="it hears nothing"),
        pytest.param(1, True, id="it listens"),
        pytest.param(2, True, id="it listens and asks"),
        pytest.param(37, False, id="it is deaf: each error opened another"),
    ],
)
@pytest.mark.parametrize("name", ["docker-gen", "acme-companion"])
def test_whoever_does_not_hear_of_dockers_events_is_unhealthy(
    tmp_path: Path, name: str, connections: int, healthy: bool
) -> None:
    (tmp_path / "tcp").write_text(OTHERS + "".join(map(ESTABLISHED.format, range(connections))))
    (tmp_path / "tcp6").write_text("")
    (tmp_path / "default.conf").write_text("server {}\n")
    kind, check = services(settings_with(), "proxy")[name]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    for of, here in (("/proc/net", tmp_path), ("/etc/nginx/conf.d", tmp_path), ("$$", "$")):
        check = check.replace(of, str(here))
    assert (subprocess.run(["sh", "-c", check]).returncode == 0) is healthy


# --- What is kept of compiled templates -----------------------------------------------------------


def rendered_with(cache: CompiledTemplates | None) -> str:
    environment = Environment(loader=DictLoader({"a": "{{ b }}"}), bytecode_cache=cache, autoescape=True)
    return environment.get_template("a").render(b="text")


def test_a_template_is_compiled_once_for_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    assert rendered_with(kept_in(tmp_path)) == "text"
    (kept,) = tmp_path.iterdir()
    with monkeypatch.context() as patched:
        patched.setattr(Environment, "compile", lambda *_: pytest.fail("it was compiled again"))
        assert rendered_with(kept_in(tmp_path)) == "text"
    # After a power cut.
    kept.write_bytes(kept.read_bytes()[:-10])
    assert rendered_with(kept_in(tmp_path)) == "text"


def test_where_nothing_can_be_kept_templates_are_compiled_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    assert kept_in(tmp_path / "absent") is None
    cache = kept_in(tmp_path)
    tmp_path.rmdir()
    assert cache and rendered_with(cache) == "text"
    tmp_path.mkdir()
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert kept_in(tmp_path) is None
