"""What all questions to Docker Engine have in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from mstdn.fact import Fact

T = TypeVar("T")
# What engine.sh says of an engine that runs and does not answer.
SILENT = "Docker does not answer"
# Goes before scripts that act in a container.
CONTAINER = "docker/container"


class EngineFact(Fact[T], Generic[T]):
    """A question that only the engine can answer. Where there is none, its script prints nothing."""

    before = "docker/engine"
    shared = ("units", "docker/found")
