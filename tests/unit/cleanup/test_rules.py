"""Which images are no longer needed."""

from __future__ import annotations

import pytest

from mstdn.assets.facts import Assets
from mstdn.cleanup.facts import Image
from mstdn.cleanup.rules import unneeded, unneeded_dumps

WEB, STREAMING = "ghcr.io/mastodon/mastodon", "ghcr.io/mastodon/mastodon-streaming"


def release(tag: str, identity: str) -> list[Image]:
    return [
        Image(WEB, tag, f"sha256:{identity}000000000000"),
        Image(STREAMING, tag, f"sha256:5{identity}000000000000"),
    ]


FOUR = [*release("v4.4.27", "44"), *release("v4.5.20", "45"), *release("v4.6.9", "46"), *release("v4.7.60", "47")]
NGINX = [Image("nginx", "1.30-alpine", "sha256:91"), Image("nginx", "1.28-alpine", "sha256:90")]
RECORDED = [f"{image.repository}:{image.tag}" for image in (*FOUR, *NGINX)]
WANTED = [f"{WEB}:v4.7.60", f"{STREAMING}:v4.7.60", "nginx:1.29-alpine"]
UPGRADED = Assets("v4.7.60-470000000000", "v4.6.9-460000000000", complete=True)


def names(images: list[Image]) -> list[str]:
    return [image.name for image in images]


def test_what_runs_stays_with_the_release_before_it_and_everything_older_of_ours_goes() -> None:
    gone = unneeded([*FOUR, *NGINX], {"sha256:91"}, WANTED, RECORDED, UPGRADED, "v4.7.60")
    assert names(gone) == [
        *(f"{name}:{tag}" for tag in ("v4.4.27", "v4.5.20") for name in (WEB, STREAMING)),
        "nginx:1.28-alpine",
    ]


def test_a_plan_of_an_upgrade_says_what_the_run_will_remove() -> None:
    before = Assets("v4.6.9-460000000000", "v4.5.20-450000000000", complete=True)
    running = release("v4.6.9", "46")
    images, used = [*release("v4.5.20", "45"), *running], {image.id for image in running}
    gone = unneeded(images, used, WANTED, RECORDED, before, "v4.7.60")
    assert names(gone) == [f"{WEB}:v4.5.20", f"{STREAMING}:v4.5.20"]
    assert unneeded(images, used, WANTED, RECORDED, before, "v4.6.9") == []


def test_after_the_first_installation_nothing_goes() -> None:
    first = Assets("v4.7.60-470000000000", "v4.7.60-470000000000", complete=True)
    running = release("v4.7.60", "47")
    assert unneeded(running, {image.id for image in running}, WANTED, RECORDED, first, "v4.7.60") == []
    assert unneeded([], (), WANTED, [], Assets(), "v4.7.60") == []


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(Image("ghcr.io/other/thing", "v1", "sha256:aa"), id="of others"),
        pytest.param(Image("ghcr.io/mastodon/mastodon", "nightly", "sha256:aa"), id="pulled by somebody else"),
        pytest.param(Image("ghcr.io/mastodon/mastodon", "v4.4.27", "sha256:used"), id="used by a container"),
        pytest.param(Image("<none>", "", "sha256:aa"), id="built by others, without a name"),
    ],
)
def test_an_image_that_is_somebodys_stays(image: Image) -> None:
    assert unneeded([image], {"sha256:used"}, WANTED, RECORDED, UPGRADED, "v4.7.60") == []


@pytest.mark.parametrize("name", ["postgres", "registry.example.org:5000/team/postgres"])
def test_an_image_that_was_named_by_its_digest_goes_when_another_is(name: str) -> None:
    images = [Image(name, "", f"sha256:{each}") for each in ("aa", "bb", "cc")]
    recorded = [f"{name}@sha256:{each * 32}" for each in ("0a", "0b")]
    gone = unneeded(images, {"sha256:cc"}, [f"{name}@sha256:{'0c' * 32}"], recorded, UPGRADED, "v4.7.60")
    assert names(gone) == ["sha256:aa", "sha256:bb"]


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(Image(WEB, "", "sha256:aa"), id="its tag was moved"),
        pytest.param(Image("nginx", "", "sha256:aa"), id="refreshed"),
        pytest.param(Image("<none>", "", "sha256:aa", built=True), id="built here and replaced"),
    ],
)
def test_an_image_of_ours_that_lost_its_tag_goes_by_its_id(image: Image) -> None:
    assert names(unneeded([image], (), WANTED, RECORDED, UPGRADED, "v4.7.60")) == ["sha256:aa"]


def test_of_what_was_built_here_the_build_before_stays_with_both_of_its_images() -> None:
    web, streaming = "mstdn-source/mastodon", "mstdn-source/mastodon-streaming"
    images = [
        Image(name, tag, f"sha256:{number}{place}", built=True)
        for number, tag in (("46", "v4.6.9-aa"), ("47", "v4.7.60-aa"), ("48", "v4.7.60-bb"))
        for place, name in (("000000000000", web), ("1", streaming))
    ]
    wanted = [f"{web}:v4.7.60-bb", f"{streaming}:v4.7.60-bb"]
    published = Assets("v4.7.60-480000000000", "v4.7.60-470000000000", complete=True)
    gone = unneeded(images, (), wanted, [], published, "v4.7.60")
    assert names(gone) == [f"{web}:v4.6.9-aa", f"{streaming}:v4.6.9-aa"]


@pytest.mark.parametrize(
    ("release", "gone"),
    [
        pytest.param("v4.7.60", ["v4.5.20"], id="after an upgrade"),
        pytest.param("v4.6.10", ["v4.5.20"], id="after another"),
        pytest.param("v4.6.9", [], id="after the way back, or one that never came up"),
        pytest.param("v4.5.20", ["v4.6.9"], id="after a longer way back"),
    ],
)
def test_the_dumps_of_this_release_and_of_the_one_before_stay(release: str, gone: list[str]) -> None:
    assert unneeded_dumps(["v4.6.9", "v4.5.20"], [], release) == gone


@pytest.mark.parametrize(
    ("release", "gone"),
    [
        pytest.param("v4.6.9", [], id="it was gone back to"),
        pytest.param("v4.7.60", [], id="the upgrade was made once more"),
        pytest.param("v4.7.61", [], id="it is the one before"),
        pytest.param("v4.7.62", ["left-v4.7.60"], id="it is older"),
    ],
)
def test_what_was_left_when_the_database_went_back_stays_as_long_as_a_dump(release: str, gone: list[str]) -> None:
    dumps = [each for each in ("v4.6.9", "v4.7.60", "v4.7.61") if each < release]
    found = unneeded_dumps(dumps, ["v4.7.60"], release)
    assert [each for each in found if each.startswith("left-")] == gone
