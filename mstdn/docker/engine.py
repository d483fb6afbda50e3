"""What all questions to Docker Engine have in common."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from mstdn.fact import UNITS, Fact

T = TypeVar("T")
# What engine.sh says of an engine that runs and does not answer.
SILENT = "Docker does not answer"
# Goes before scripts that act in a container.
CONTAINER = "docker/container"


class EngineFact(Fact[T], Generic[T]):
    """A question that only the engine can answer. Where there is none, its script prints nothing."""

    before = ("docker/describe", "docker/engine")
    shared: ClassVar[tuple[str, ...]] = (UNITS, "docker/describe", "docker/found")


class ContainerFact(EngineFact[T], Generic[T]):
    """One that needs more of the containers than which there are."""

    shared = (*EngineFact.shared, "docker/described")
