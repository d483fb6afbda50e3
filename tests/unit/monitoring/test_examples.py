"""The examples of docs/monitoring: what they name is what the suite runs. That it answers is seen in the lab."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from mstdn.layout import MONITORING, MONITORING_SERVICES
from tests.harness import ROOT

EXAMPLES = ROOT / "docs/monitoring"
# What a Prometheus knows by itself.
OF_PROMETHEUS = frozenset(("up",))
# Words of Prometheus' language, and of what stands in braces and behind "by".
FUNCTIONS = frozenset(("avg", "by", "increase", "max", "rate", "sum"))
PREFIXES = {"mastodon": "mastodon_", "server": "node_", "postgresql": "pg_"}


def targets() -> dict[str, str]:
    """Where each job of the example asks."""
    found = yaml.load((EXAMPLES / "prometheus.yml").read_text(), yaml.CSafeLoader)
    return {
        job["job_name"]: target
        for job in found["scrape_configs"]
        for each in job["static_configs"]
        for target in each["targets"]
    }


def metrics(expression: str) -> set[str]:
    """The names of metrics in an expression of Prometheus."""
    text = re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)", " ", expression)
    return set(re.findall(r"[a-z_]\w*", text, re.IGNORECASE)) - FUNCTIONS


def metrics_of_the_dashboard() -> set[str]:
    """Every metric that some panel shows."""
    dashboard = json.loads((EXAMPLES / "dashboard.json").read_text())
    found = (metrics(each["expr"]) for panel in dashboard["panels"] for each in panel.get("targets", ()))
    return set().union(*found) - OF_PROMETHEUS


def test_prometheus_asks_each_exporter_once() -> None:
    hosts = [target.partition(":")[0] for target in targets().values()]
    assert sorted(hosts) == sorted(MONITORING_SERVICES)


def test_the_example_of_a_prometheus_joins_the_network_and_publishes_on_loopback_only() -> None:
    found = yaml.load((EXAMPLES / "compose.yaml").read_text(), yaml.CSafeLoader)
    assert found["networks"] == {MONITORING: {"external": True}}
    (service,) = found["services"].values()
    assert MONITORING in service["networks"] and all(each.startswith("127.0.0.1:") for each in service["ports"])
    assert any("./prometheus.yml:" in each for each in service["volumes"])


def test_every_panel_asks_something_and_lies_where_no_other_does() -> None:
    panels = json.loads((EXAMPLES / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) and len(panels) > 15
    places = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert all(panel["type"] == "row" or panel["targets"] for panel in panels)


def test_every_metric_of_the_dashboard_is_of_one_of_the_exporters() -> None:
    found = metrics_of_the_dashboard()
    assert [name for name in found if not name.startswith(tuple(PREFIXES.values()))] == []
    for prefix in PREFIXES.values():
        assert [name for name in found if name.startswith(prefix)]


@pytest.mark.parametrize("job", [*PREFIXES])
def test_the_dashboard_knows_the_jobs_by_the_names_of_the_example(job: str) -> None:
    assert job in targets() and job in (EXAMPLES / "dashboard.json").read_text()


def test_metrics_are_found_in_an_expression() -> None:
    assert metrics('sum by (job) (rate(a_total{x="up"}[5m])) / b_count - 1') == {"a_total", "b_count"}
