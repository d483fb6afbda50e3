"""Whether the release of Mastodon that is installed is the one it should be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mstdn.database.rules import Work, work
from mstdn.kinds.images import release_numbers
from mstdn.layout import DEPLOYMENT
from mstdn.preflight.releases import NEWEST_PATCH
from mstdn.status.complaint import DEPLOY, Complaint, Wanted
from mstdn.status.facts import Parts


def complaints(installed: Mapping[str, str], wanted: Wanted, parts: Parts) -> Iterator[Complaint]:
    here = installed["MASTODON_VERSION"]
    if work(installed) is Work.AT_WORK:
        yield Complaint(
            "warning",
            "release",
            "A deployment is at work: images, a dump, migrations, assets, or containers that make room for others.",
            f"Watch it, on the server: journalctl --follow --unit {DEPLOYMENT}; the next run waits for its end",
        )
    elif following := installed.get("NEXT_VERSION"):
        yield Complaint(
            "error",
            "release",
            f"An upgrade from {here} to {following} was begun and is not finished.",
            f"Finish it: {DEPLOY}",
        )
    elif here != wanted.release:
        yield Complaint(
            "warning", "release", f"{here} is installed, and mastodon_version is {wanted.release}.", f"Deploy: {DEPLOY}"
        )
    urgent = [each for each in (f"v{name}" for name, mends in parts.updates if mends) if _is_newer(each, here)]
    # A patch of the same minor release is the smallest step.
    urgent.sort(key=lambda each: (release_numbers(each)[:2] != release_numbers(here)[:2], release_numbers(each)))
    if urgent:
        yield Complaint(
            "error",
            "release",
            f"{', '.join(urgent)} {'are out and mend' if len(urgent) > 1 else 'is out and mends'} security; "
            f"{here} is installed.",
            f'Read its notes, set mastodon_version = "{urgent[0]}" and deploy: {DEPLOY}',
        )
    if (newer := newer_patch(here)) and newer not in urgent:
        yield Complaint(
            "warning",
            "release",
            f"{newer} is out, and patches of Mastodon mend security: {here} is behind.",
            f'Set mastodon_version = "{newer}" and deploy: {DEPLOY}',
        )


def _is_newer(release: str, here: str) -> bool:
    """Whether one release comes after another. One that is no release yet ("v4.8.0-beta.1") does not."""
    try:
        return release_numbers(release) > release_numbers(here)
    except ValueError:
        return False


def newer_patch(release: str) -> str:
    """The newest patch of the same minor release that the suite knows, if it is newer; else ""."""
    try:
        numbers = release_numbers(release)
    except ValueError:
        return ""
    newest = NEWEST_PATCH.get(numbers[:2], "")
    return newest if newest and release_numbers(newest) > numbers else ""
