"""What acme-companion's log means. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Most of its log is written by docker-gen, which watches for it, or is about certificates that are in order.
_SAYS_NOTHING = re.compile(
    r"Received event|Debounce|did not change|Generated|Running|Watching|Sleep for|^$"
    r"|Domains not changed|Skipping\. Next|Add .--force|check log file|^-----|^[A-Za-z0-9+/=]{40,}$"
)
MOST = 8


def telling_lines(log: Iterable[str]) -> list[str]:
    """The last lines of acme-companion's log that say why there is no certificate."""
    return [line for line in log if not _SAYS_NOTHING.search(line)][-MOST:]
