"""mstdn/versions.py: each pin stands there once, and a bot finds it."""

from __future__ import annotations

import json
import re

from mstdn import versions
from mstdn.preflight.releases import NEWEST_PATCH
from tests.harness import ROOT

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
    places = [
        f"{file.relative_to(ROOT)}: {value}"
        for folder in ("mstdn", "tasks", "templates", "files")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix != ".pyc" and file.name != "versions.py"
        for value in PINS.values()
        if value in file.read_text()
    ]
    assert places == []


def test_the_newest_patches_are_those_of_releases_one_after_another() -> None:
    assert list(NEWEST_PATCH) == sorted(NEWEST_PATCH)
    assert versions.MASTODON in NEWEST_PATCH.values()
