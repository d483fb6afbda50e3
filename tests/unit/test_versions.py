"""mstdn/versions.py: each pin stands there once, and a bot finds it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mstdn import __version__, versions
from mstdn.preflight.releases import NEWEST_PATCH
from tests.harness import ROOT
from tests.lab.catalogue import PUBLISHED

SOURCE = (ROOT / "mstdn" / "versions.py").read_text()
PINS = {name: value for name, value in vars(versions).items() if name.isupper() and isinstance(value, str)}


def test_the_update_bot_finds_every_pin() -> None:
    configuration = json.loads((ROOT / "renovate.json").read_text())
    (manager,) = configuration["customManagers"]
    (pattern,) = manager["matchStrings"]
    found = re.finditer(re.sub(r"\(\?<(\w+)>", r"(?P<\1>", pattern), SOURCE)
    assert {(each["depName"], each["currentValue"]) for each in found} == {
        (value.rpartition(":")[0] or "mastodon/mastodon", value.rpartition(":")[2]) for value in PINS.values()
    }
    (files,) = manager["managerFilePatterns"]
    assert re.search(files.strip("/"), "mstdn/versions.py")


def test_no_pin_stands_anywhere_else_in_the_code() -> None:
    """So that one line is all that the bot has to change: the suite, the lab and the tests take it from there."""
    texts = {
        file.relative_to(ROOT): file.read_text(errors="replace")
        for folder in ("mstdn", "tasks", "templates", "files", "tests")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix != ".pyc" and file.name != "versions.py"
    }
    places = [
        f"{file}: {value}"
        for file, text in texts.items()
        for value in PINS.values()
        # Looking for plain text is quick, and hardly any file has it.
        if value in text and re.search(rf"(?<![\w.]){re.escape(value)}(?!\w)", text)
    ]
    assert places == []


def test_the_lab_offers_what_the_suite_names() -> None:
    served = {image.production_name.removeprefix("docker.io/").removeprefix("library/") for image in PUBLISHED}
    mastodon = {f"ghcr.io/mastodon/{name}:{versions.MASTODON}" for name in ("mastodon", "mastodon-streaming")}
    assert served >= {value for name, value in PINS.items() if name != "MASTODON"} | mastodon


def test_an_image_of_the_lab_is_built_for_the_newest_release_that_it_is_told(tmp_path: Path) -> None:
    """As in a build, where mstdn is not."""
    shutil.copytree(ROOT / "tests/lab/images/mastodon", tmp_path / "lab", symlinks=True)
    program = "from lab.releases import *; print(NEWEST_GOOD_RELEASE in RELEASES, migrations_up_to('v4.7.90')[-1].name)"
    environment = {"NEWEST_RELEASE": "v4.7.89", "PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("True ")


def test_the_newest_patches_are_those_of_releases_one_after_another() -> None:
    assert list(NEWEST_PATCH) == sorted(NEWEST_PATCH)
    assert versions.MASTODON in NEWEST_PATCH.values()


@pytest.mark.parametrize("page", ["README.md", "docs/updating.md"])
def test_what_operators_are_told_to_take_is_this_version(page: str) -> None:
    named = re.findall(r"git (?:clone --branch|checkout) v(\d\S*?)[`\s,]", (ROOT / page).read_text())
    assert named and set(named) == {__version__}
