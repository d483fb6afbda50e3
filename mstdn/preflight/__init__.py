"""
What stands in the way of a deployment, each with its remedy. Pure: it judges a report and asks nothing itself.

    machine.py    the system, memory, disks, clock
    names.py      what the DNS says
    releases.py   which release may follow which

What belongs to one component is judged by its own rules: mstdn/apt/sources.py, mstdn/docker/rules.py,
mstdn/proxy/neighbours.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mstdn import suite
from mstdn.database.stores import postgres_cannot_read, redis_cannot_read
from mstdn.docker.neighbours import namesakes, other_engines, other_projects, taken_names, writers
from mstdn.docker.packages import KEYRING
from mstdn.docker.rules import ALIVE
from mstdn.files.facts import InTheWay
from mstdn.finding import Finding
from mstdn.kernel.operations import OVERCOMMIT_FILE
from mstdn.layout import (
    ENGINE_NOTE,
    FIREWALL_NOTE,
    FIREWALL_RULES,
    INSTANCE_NOTE,
    UNINSTALL_NOTE,
    MastodonLayout,
    ProxyLayout,
)
from mstdn.postgres.rules import switching_findings
from mstdn.preflight import machine, names, releases
from mstdn.preflight.facts import Server, ServerReport
from mstdn.preflight.names import names_to_look_up, well_known_name
from mstdn.proxy import neighbours
from mstdn.secrets.parts import parts_for
from mstdn.swap.facts import SWAPPINESS_FILE

if TYPE_CHECKING:
    from mstdn.docker.facts import Container
    from mstdn.fact import Question
    from mstdn.settings import Settings

__all__ = ["Finding", "files_question", "findings", "question_about_the_server"]


def question_about_the_server(settings: Settings) -> Question[ServerReport]:
    """What findings() needs to know of the server itself."""
    roots = settings.mastodon_root, settings.proxy_root
    return Server.of(*roots, settings.swap_path, well_known_name(settings), names_to_look_up(settings))


def files_question(settings: Settings) -> Question[list[str]]:
    """What preflight asks about what is in the place of files that the suite reads and writes without looking."""
    layout, proxy = MastodonLayout(settings.mastodon_root), ProxyLayout(settings.proxy_root)
    parts = (f"{layout.secrets}/{part.file}" for part in parts_for(settings))
    kernel = (SWAPPINESS_FILE, OVERCOMMIT_FILE)
    return InTheWay.of(
        (layout.checksums, layout.instance_secrets, layout.operator_secrets, *parts, *kernel),
        (f"{layout.state}/", f"{proxy.state}/", ENGINE_NOTE, INSTANCE_NOTE, FIREWALL_NOTE, FIREWALL_RULES, KEYRING),
    )


def findings(
    report: ServerReport,
    containers: Iterable[Container],
    settings: Settings,
    now: float,
    *,
    postgres_moves: bool = False,
) -> list[Finding]:
    """
    Everything that is in the way, all at once.

    containers: all of the engine. now: this machine's clock, in seconds since the epoch. postgres_moves: this run
    moves the database to another PostgreSQL.
    """
    if not report.init:
        return [Finding("error", "The server did not say what it is. Run with -vvv to see its answer.")]
    containers = tuple(containers)
    alive = [each for each in containers if each.status in ALIVE]
    return [
        *machine.findings(report, settings, now),
        *neighbours.findings(report, alive, settings),
        *other_engines(report),
        # Stopped ones too: Compose would remove them as orphans of a project of that name.
        *other_projects(report, containers, settings),
        *taken_names(containers),
        # Before there is an instance here, they can only be those of one that somebody has set up by hand.
        *(namesakes(alive) if report.installed else ()),
        *(writers(alive, (settings.mastodon_root, *report.directories[:1])) if report.installed else ()),
        *names.findings(report, settings),
        *_instance(report, settings, postgres_moves=postgres_moves),
    ]


def _removing(report: ServerReport) -> str:
    """Why nothing is deployed onto a server from which everything is being removed, and both ways out of it."""
    domain, *stages = report.removing
    begun = f"Removing {domain} from this server was begun (tasks/uninstall.py) and is not finished."
    finish = f"Finish it: pyinfra inventory.py tasks/uninstall.py --data yes={domain}"
    if "data" in stages or not report.installed:
        return (
            f"{begun} A part of its data is gone, and what is left is no instance. {finish} Then deploy a new one, or "
            "bring this one back from its backup: pyinfra inventory.py tasks/restore.py"
        )
    return (
        f"{begun} Its data are all there. {finish} Or keep it after all: on the server, rm {UNINSTALL_NOTE}, and run "
        "this again."
    )


def _instance(report: ServerReport, settings: Settings, *, postgres_moves: bool) -> Iterator[Finding]:
    if text := suite.refusal(report.suite, suite.this_suite()):
        yield Finding("error", text)
    if report.removing:
        yield Finding("error", _removing(report))
    domain = report.installed.get("LOCAL_DOMAIN", settings.local_domain)
    if domain != settings.local_domain:
        yield Finding(
            "error",
            f"This server was installed as {domain}, and local_domain is now {settings.local_domain}. It can never "
            f'change: other servers know every account by the old name. Set local_domain = "{domain}"; for another '
            "address of the same site there are web_domain and alternate_domains.",
        )
    version = report.installed.get("MASTODON_VERSION", settings.mastodon_version)
    if text := releases.refusal(version, settings.mastodon_version, report.dumps):
        yield Finding("error", text)
    if not postgres_moves:
        yield from switching_findings(report.postgres_move)
    for text in (
        None if postgres_moves else postgres_cannot_read(report.postgres, settings.postgres_image),
        redis_cannot_read(report.redis, settings.redis_image),
    ):
        if text:
            yield Finding("error", text)
