"""
Monitoring: exporters for a Prometheus of yours, on a network of their own; nothing of it where it is off.

Run by itself:  pyinfra inventory.py tasks/monitoring.py
"""

from pyinfra import host

from mstdn.layout import MONITORING
from mstdn.monitoring.operations import monitoring_files, monitoring_role, removed_monitoring, running_monitoring
from mstdn.networks.operations import WantedNetwork, docker_networks
from mstdn.settings import settings_for
from mstdn.sizing.facts import server_size
from mstdn.sizing.rules import start_timeout_seconds

settings = settings_for(host)

docker_networks(
    name="Create the network mstdn-monitoring",
    networks=[WantedNetwork(MONITORING, internal=True)] if settings.monitoring_enabled else [],
)

monitoring_files(
    name="Write the configuration of monitoring",
    settings=settings,
)

monitoring_role(
    name="Show PostgreSQL's statistics to monitoring",
    settings=settings,
)

running_monitoring(
    name="Start monitoring",
    settings=settings,
    timeout_seconds=start_timeout_seconds(server_size().memory_mib, settings),
)

removed_monitoring(
    name="Remove monitoring where it is off",
    settings=settings,
)
