"""What the pages and the messages name is there: files, sections of pages, targets of make, settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mstdn.settings.model import Settings
from mstdn.settings.provision import ProvisionSettings
from tests.harness import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
# The changelog tells of what was there once. In the tables of what was tried, services have names like files
# ("mstdn/web").
PRESENT = [page for page in PAGES if page.name not in ("CHANGELOG.md", "reliability.md")]
PROGRAMS = sorted([*ROOT.glob("mstdn/**/*.py"), *ROOT.glob("mstdn/**/*.sh"), *ROOT.glob("tasks/*.py")])
SETTINGS = {*Settings.model_fields, *ProvisionSettings.model_fields}
FOLDERS = "docs|files|group_data|mstdn|tasks|templates|tests"
# Of the operator, or an example of what somebody might add.
NOT_OURS = ("group_data/mastodon.py", "mstdn/dns/gandi.py", "tests/stand_ins/gandi.py")


def named(pattern: str, files: list[Path] = PAGES) -> Iterator[tuple[Path, str]]:
    """What the first group of the pattern finds, with its file. Texts that a program puts together are one."""
    for file in files:
        text = file.read_text()
        if file.suffix != ".md":
            text = re.sub(r'"\s*\n\s*f?"', "", text).replace('\\"', '"')
        yield from ((file, each) for each in re.findall(pattern, text, re.MULTILINE))


def anchor(title: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", title.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    without_code = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {anchor(title) for title in re.findall(r"^#+ (.*)$", without_code, re.MULTILINE)}


def test_every_link_leads_to_a_file_and_to_a_heading_of_it() -> None:
    links = [(page, link) for page, link in named(r"\]\(([^)\s]+)\)") if not link.startswith("https://")]
    assert len(links) > 20
    wrong = []
    for page, link in links:
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (heading and heading not in anchors(target)):
            wrong.append(f"{page.name}: {link}")
    assert wrong == []


def test_every_file_that_is_named_is_there() -> None:
    paths = [
        *named(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./<>*-]*\w)", PRESENT),
        *named(r"\b((?:docs/\w+\.md|tasks/\w+\.py))", PROGRAMS),
    ]
    assert len(paths) > 200
    assert {
        f"{file.name}: {path}"
        for file, path in paths
        if not (ROOT / path).exists() and path not in NOT_OURS and not re.search("[<*]", path)
    } == set()


def test_every_section_that_a_message_names_is_there() -> None:
    sections = [*named(r'(docs/\w+\.md`?, "?[A-Z][\w ,-]*)'), *named(r'(docs/\w+\.md, "?[A-Z][\w ,-]*)', PROGRAMS)]
    assert len(sections) > 6
    for file, reference in sections:
        page, _, title = reference.partition(", ")
        heading = anchor(title.strip('" '))
        there = anchors(ROOT / page.strip("`"))
        assert any(heading == each or heading.startswith(f"{each}-") for each in there), f"{file.name}: {reference}"


@pytest.mark.parametrize(
    "case",
    [
        *("an upgrade failed", "the disk is full", "the site is down", "the server is lost"),
        *("a certificate was not renewed", "mail is not sent", "the keys are lost", "the data volume is gone"),
        "Docker was brought up to date",
    ],
)
def test_the_runbook_says_at_a_glance_what_to_type_for(case: str) -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    (row,) = [row for row in rows if row[0] == case]
    assert "`" in row[1] and "](#" in row[2]


def test_every_target_of_make_is_there() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wanted = {name for _, name in named(r"(?:^ {4}|`|&& |[A-Za-z0-9]=\S+ )make ([a-z][a-z0-9-]*)")}
    assert len(wanted) > 10 and wanted <= targets


def test_every_setting_that_a_page_or_a_message_gives_a_value_is_one() -> None:
    given = [
        *named(r"--data (\w+)=", PRESENT),
        *named(r"--data (\w+)=", PROGRAMS),
        *named(r"^ {4}([a-z][a-z0-9]*(?:_[a-z0-9]+)+) = ", PRESENT),
        *named(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+) = [^`]*`", PRESENT),
    ]
    assert len(given) > 60
    assert {f"{file.name}: {name}" for file, name in given if name not in SETTINGS} == set()
