"""The shape in which a component tells its settings; mstdn/settings/model.py puts all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict

from mstdn.problems import Problem

# What must hold between settings. It names the settings it reads as its parameters, and is asked only when all of them
# are valid by themselves; the parameter `secrets` holds the names of the operator's secrets that are set.
Relation: TypeAlias = Callable[..., Iterator[Problem]]


class Part(BaseModel):
    """
    The settings of one component: mstdn/<component>/settings.py has one class of this kind.

    Nothing is coerced, except where a kind says so. `title` is the heading in group_data/all.py and docs/settings.md;
    `relations` are what must hold between these settings, and between them and others.
    """

    # Only what is validated is made ready for it: no part by itself, nor the settings of provision.py in a deployment.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    title: ClassVar[str]
    relations: ClassVar[tuple[Relation, ...]] = ()
