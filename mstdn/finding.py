"""What preflight finds: told by the rules of each component, put together in mstdn/preflight."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """An error forbids the deployment, a warning does not. The text says what is wrong and what to do."""

    level: Level
    text: str
