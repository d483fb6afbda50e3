"""
The Compose project of monitoring. Pure.

It is a project of its own, so that another release of an exporter, or one that fails, concerns no container of
Mastodon.
"""

from __future__ import annotations

from mstdn.compose.project import Project
from mstdn.files.tree import ConfigDirectory, ConfigFile
from mstdn.images.references import web_image
from mstdn.layout import MONITORING_PROJECT, MONITORING_SERVICES, MastodonLayout
from mstdn.render import render
from mstdn.secrets.parts import MONITORING_PART
from mstdn.settings import Settings


def monitoring_project(settings: Settings) -> Project:
    """The project, under the root of the instance."""
    layout = MastodonLayout(settings.mastodon_root)
    compose_file = ConfigFile(
        f"{layout.monitoring}/compose.yaml",
        render("monitoring/compose.yaml.j2", settings=settings, web_image=web_image(settings)),
    )
    return Project(
        name=MONITORING_PROJECT,
        title="monitoring",
        directory=layout.monitoring,
        services=MONITORING_SERVICES,
        directories=(ConfigDirectory(layout.monitoring), ConfigDirectory(f"{layout.monitoring}/state")),
        files=(compose_file,),
        reloaded=(),
        reload="",
        mounted={f"{layout.secrets}/{MONITORING_PART.file}": MONITORING_PART.services},
    )
