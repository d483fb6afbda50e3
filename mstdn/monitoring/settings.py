"""The settings of monitoring."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mstdn.kinds.part import Part, Relation
from mstdn.layout import MASTODON_EXPORTER
from mstdn.monitoring.rules import the_exporter_is_wired_once


class MonitoringSettings(Part):
    """What the operator's own Prometheus may ask."""

    title: ClassVar[str] = "Monitoring"
    relations: ClassVar[tuple[Relation, ...]] = (the_exporter_is_wired_once,)

    monitoring_enabled: bool = Field(
        False,
        description="True starts exporters for a Prometheus of yours (docs/monitoring.md): of Mastodon, of the server "
        "and of PostgreSQL. They publish no port; they are on the network mstdn-monitoring only, which you let your "
        "Prometheus join. They take about 128 MiB. Web and Sidekiq are made anew once, as for any change.",
    )
    monitoring_details: bool = Field(
        True,
        description="Whether web and Sidekiq count each request and each job as well, and Sidekiq the queues. False "
        "saves a little time in each; what is left on a server with web_processes = 0 is how long requests wait.",
    )

    @property
    def mastodon_exporter(self) -> str:
        """The host name by which web and Sidekiq find the exporter that they tell everything to."""
        return MASTODON_EXPORTER
