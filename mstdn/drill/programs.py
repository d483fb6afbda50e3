"""What of the drill lies on a server. Pure."""

from __future__ import annotations

from mstdn.backup.programs import IN_TURN
from mstdn.files.tree import ConfigFile
from mstdn.layout import PROGRAMS
from mstdn.settings import Settings
from mstdn.shell import SCRIPTS
from mstdn.timers.units import program, service, timer

# Up to half an hour later, so that not all servers come at once.
DELAY_MINUTES = 30


def drill_programs(settings: Settings) -> tuple[ConfigFile, ...]:
    """The program, what it has Mastodon do, and its unit and timer."""
    return (
        program("drill", *IN_TURN, "drill/hold"),
        ConfigFile(f"{PROGRAMS}/prove.rb", (SCRIPTS / "drill/prove.rb").read_text()),
        service("mstdn-drill", "Prove the newest backup of Mastodon", "drill"),
        timer(
            "mstdn-drill",
            "Prove the newest backup of Mastodon every week",
            f"{settings.drill_day} *-*-* {settings.drill_time}:00",
            DELAY_MINUTES,
        ),
    )


def drill_settings(settings: Settings) -> dict[str, str]:
    """What the program is told, by the names of its variables."""
    return {
        "DRILL_MEMORY_MIB": str(settings.drill_memory_mib),
        "DRILL_MEDIA_FILES": str(settings.drill_media_files),
        "DRILL_READ_DATA_PERCENT": str(settings.drill_read_data_percent),
    }
