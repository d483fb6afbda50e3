"""
Which part of the secrets each container gets, and in which form. Pure: all of it follows from the table of secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mstdn.layout import EXPORTER, MASTODON, POSTGRES, REDIS
from mstdn.secrets.table import MADE_ON_THE_SERVER, Reader, read_by

if TYPE_CHECKING:
    from mstdn.settings import Settings

# "dotenv": NAME=value lines; "bare": only the value; "redis": a line of Redis' configuration.
Form = Literal["dotenv", "bare", "redis"]


@dataclass(frozen=True)
class Part:
    """
    A file under the directory of the secrets, which `services` mount. `revision`: name of its checksum in Compose's
    .env, "" without one.
    """

    file: str
    services: tuple[Reader, ...]
    owner: str
    form: Form
    names: tuple[str, ...]
    revision: str = ""
    operator: bool = False

    def __str__(self) -> str:
        """As the scripts take it: fields with colons between, names with bars."""
        also = "operator" if self.operator else "-"
        return ";".join((self.file, self.owner, self.form, self.revision or "-", also, "|".join(self.names)))


def _made_for(service: Reader) -> tuple[str, ...]:
    return tuple(name for name in read_by(service) if name in MADE_ON_THE_SERVER)


# The checksums of those that change while the instance lives: a container is made anew when its own part does. The
# passwords of PostgreSQL are read when its data directory is new.
PARTS = (
    Part("mastodon.env", ("web", "sidekiq"), MASTODON, "dotenv", _made_for("web"), "MASTODON_REVISION", operator=True),
    Part("streaming.env", ("streaming",), MASTODON, "dotenv", _made_for("streaming"), "STREAMING_REVISION"),
    Part("postgres-superuser-password", ("db",), POSTGRES, "bare", ("POSTGRES_PASSWORD",)),
    Part("postgres-password", ("db",), POSTGRES, "bare", ("DB_PASS",)),
    Part("redis.conf", ("redis",), REDIS, "redis", ("REDIS_PASSWORD",), "REDIS_REVISION"),
)

# For the project of monitoring, where there is one.
MONITORING_PART = Part("monitoring-password", ("postgres-exporter",), EXPORTER, "bare", _made_for("postgres-exporter"))

# What the scripts are told of all of it. The forms are those of every secret that may be there.
WORDS = tuple(map(str, PARTS))
FORMS = tuple(f"{secret.name}={secret.form}" for secret in MADE_ON_THE_SERVER.values())


def parts_for(settings: Settings) -> tuple[Part, ...]:
    """The parts that containers get with these settings."""
    return (*PARTS, MONITORING_PART) if settings.monitoring_enabled else PARTS


def words_for(settings: Settings) -> tuple[str, ...]:
    """What the scripts are told of them."""
    return tuple(map(str, parts_for(settings)))


def made_for(settings: Settings) -> tuple[str, ...]:
    """The names of the secrets that the server makes with these settings."""
    found = MADE_ON_THE_SERVER.items()
    return tuple(name for name, each in found if not each.only_with or getattr(settings, each.only_with))
