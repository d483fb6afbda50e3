"""The lab's images: an image is known by what it is made from, so that labs share what is alike and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.harness import ROOT
from tests.lab import builder
from tests.lab.catalogue import CATALOGUE
from tests.lab.commands import Completed

TAG = re.compile(r"mstdn-lab/[a-z-]+(:[0-9a-f]{12}|:[v0-9.]+-[0-9a-f]{12})")


@pytest.fixture(name="recipes")
def _recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all recipes, to change."""
    copy = tmp_path / "images"
    shutil.copytree(builder.DIRECTORY, copy, symlinks=True)
    monkeypatch.setattr(builder, "DIRECTORY", copy)
    forget()
    return copy


def forget() -> None:
    builder.fingerprint.cache_clear()
    builder.parents.cache_clear()


def tags() -> dict[str, str]:
    forget()
    return {name: builder.tag(name) for name in CATALOGUE}


def test_every_image_has_a_tag_of_its_own_by_which_the_engine_finds_it() -> None:
    found = tags()
    assert all(TAG.fullmatch(tag) for tag in found.values()), found
    assert len(set(found.values())) == len(found)


def test_a_change_gives_other_tags_to_what_is_made_from_it_and_to_nothing_else(recipes: Path) -> None:
    before = tags()
    with (recipes / "socket-proxy/healthcheck").open("a") as file:
        file.write("# changed\n")
    after = tags()
    assert {name for name in before if before[name] != after[name]} == {"socket-proxy", "internet"}


def test_a_page_that_no_image_holds_changes_none(recipes: Path) -> None:
    before = tags()
    (recipes / "socket-proxy/README.md").write_text("Other words.\n")
    assert tags() == before


def test_a_recipe_is_built_on_exactly_the_parents_that_its_tag_was_made_from() -> None:
    for name in CATALOGUE:
        recipe = builder.dockerfile(CATALOGUE[name])
        named = set(re.findall(r"mstdn-lab/\S+", "\n".join(re.findall(r"(?m)^(?:FROM|COPY --from).*", recipe))))
        assert named == {builder.tag(parent) for parent in builder.parents(name)}, name


class Kept:
    """Stands in for an engine: which images it has, and which were deleted."""

    def __init__(self, *images: str) -> None:
        self.images = images
        self.deleted: list[str] = []

    def run(self, *words: str, check: bool = True) -> Completed:
        if words[:2] == ("image", "rm"):
            self.deleted += words[3:]
        return Completed("\n".join(self.images) if words[:2] == ("image", "ls") else "", "", 0)


def test_an_image_is_left_until_its_recipe_changes_though_this_lab_does_not_need_it_now(recipes: Path) -> None:
    everything = {name for image in CATALOGUE for name in (image, *builder.parents(image))}
    present = {builder.tag(name) for name in everything}
    (recipes / "visitor/Dockerfile").open("a").write("# changed\n")
    engine: Any = Kept(*present)
    forget()
    builder.provide(engine, "socket-proxy")
    assert [image.partition(":")[0] for image in engine.deleted] == ["mstdn-lab/visitor"]


def test_all_labs_share_the_images() -> None:
    def fingerprints(lab: str) -> str:
        program = "from tests.lab.inhabitants import *; print([builder.tag(each.image) for each in EVERYONE.values()])"
        environment = os.environ | {"LAB": lab}
        command = [sys.executable, "-c", program]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    assert fingerprints("0") == fingerprints("7")
