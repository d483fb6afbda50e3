"""The Compose project of monitoring: what it may reach, and what reaches it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from mstdn.app.project import mastodon_project
from mstdn.layout import MONITORING_SERVICES
from mstdn.monitoring.project import monitoring_project
from mstdn.secrets.parts import MONITORING_PART
from tests.harness import settings_with

SETTINGS = settings_with(monitoring_enabled=True, docker_log_size_mib=7)
SHELL = re.compile(r"(?<!\$)\$(?!\$)")


@pytest.fixture(name="compose", scope="module")
def _compose() -> dict[str, Any]:
    (file,) = monitoring_project(SETTINGS).files
    # Compose takes a single $ for a variable of its own.
    assert SHELL.search(file.text) is None
    found = yaml.load(file.text, yaml.CSafeLoader)
    assert isinstance(found, dict)
    return found


def test_it_has_the_services_that_the_task_waits_for(compose: dict[str, Any]) -> None:
    assert compose["name"] == "mstdn-monitoring" and tuple(compose["services"]) == MONITORING_SERVICES


def test_every_exporter_is_hardened_bounded_and_without_a_port_or_the_engine(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"] and service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"] == "7m", name
        assert re.fullmatch(r"\d+M", service["deploy"]["resources"]["limits"]["memory"]), name
        assert service["deploy"]["resources"]["limits"]["pids"] > 0 and service["healthcheck"]["test"], name
        assert service["user"] not in ("0:0", "root"), name
        forbidden = {
            "ports",
            "expose",
            "cap_add",
            "privileged",
            "pid",
            "network_mode",
            "ipc",
            "container_name",
            "build",
        }
        assert not forbidden & set(service), name
        volumes = service.get("volumes", [])
        assert [each for each in volumes if not each.endswith(":ro")] == [], name
        assert "docker.sock" not in str(service) and not any(each.startswith("/:") for each in volumes), name


def test_only_the_exporter_of_the_database_gets_a_secret(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "secrets" in service] == ["postgres-exporter"]
    assert {each["file"] for each in compose["secrets"].values()} == {f"../secrets/{MONITORING_PART.file}"}
    exporter = compose["services"]["postgres-exporter"]
    assert exporter["user"] == MONITORING_PART.owner
    assert exporter["environment"]["DATA_SOURCE_PASS_FILE"] == f"/run/secrets/{MONITORING_PART.file}"
    (path,) = monitoring_project(SETTINGS).mounted
    assert path == "/srv/mastodon/secrets/monitoring-password"


def test_its_networks_lead_nowhere_and_the_servers_exporter_does_not_see_the_database(compose: dict[str, Any]) -> None:
    assert compose["networks"] == {"back-mstdn": {"external": True}, "mstdn-monitoring": {"external": True}}
    networks = {name: service["networks"] for name, service in compose["services"].items()}
    assert networks["node-exporter"] == ["mstdn-monitoring"]
    assert all("mstdn-monitoring" in each for each in networks.values())


def test_mastodons_exporter_is_of_the_release_that_tells_it(compose: dict[str, Any]) -> None:
    assert compose["services"]["mastodon-exporter"]["image"] == SETTINGS.mastodon_image_reference


def test_another_exporter_concerns_no_container_of_mastodon() -> None:
    other = settings_with(monitoring_enabled=True, docker_log_size_mib=7, node_exporter_image="node-exporter:2")
    assert monitoring_project(other).revision != monitoring_project(SETTINGS).revision
    before, after = (mastodon_project(each, 4096, ipv6=False) for each in (SETTINGS, other))
    assert before.parts == after.parts and before.reload_revision == after.reload_revision


def test_turning_it_on_concerns_web_and_sidekiq_only() -> None:
    off = settings_with(docker_log_size_mib=7)
    before, after = (mastodon_project(each, 4096, ipv6=False).parts for each in (off, SETTINGS))
    assert {name for name in before if before[name] != after[name]} == {"web", "sidekiq", "migrate"}


def test_nginx_says_since_when_a_request_waits_only_where_somebody_counts_it() -> None:
    for settings, said in ((settings_with(), False), (SETTINGS, True)):
        (text,) = (
            file.text for file in mastodon_project(settings, 4096, ipv6=False).files if file.path.endswith("nginx.conf")
        )
        assert ('proxy_set_header X-Request-Start "t=${msec}";' in text) is said
