"""
What a tag stands for, and what it means when it stands for something else. Pure.

A tag is not a promise: the digest of each image is noted when it is first pulled. With the containerd store an image is
known by the digest of its present index only, so a new index around the same image counts as a move as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set


def moved(
    references: Iterable[str], recorded: Mapping[str, str], digests: Mapping[str, Set[str]]
) -> dict[str, tuple[str, Set[str]]]:
    """
    Those of the references that are no longer what was recorded: by reference, the digest then and the digests now.

    recorded: digest by reference. digests: all by which registries know what lies on the server. The index of a tag for
    several architectures may move while this one's image stays; it then has both.
    """
    return {
        each: (recorded[each], digests[each])
        for each in references
        if each in recorded and digests.get(each) and recorded[each] not in digests[each]
    }


def record_of(
    references: Iterable[str], recorded: Mapping[str, str], digests: Mapping[str, Set[str]]
) -> dict[str, str]:
    """
    What to record now: for each reference what was recorded, as long as it is still true, and else what it is
    now.
    """
    now = {each: digests[each] for each in references if digests.get(each)}
    fresh = {each: recorded[each] if recorded.get(each) in found else min(found) for each, found in now.items()}
    return dict(recorded) | fresh


def record_text(record: Mapping[str, str]) -> str:
    """The record as a file: one line "reference digest" for each, in their order."""
    return "".join(f"{reference} {digest}\n" for reference, digest in sorted(record.items()))
