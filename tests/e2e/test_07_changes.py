"""A setting is changed, and changed back; the machine is rebooted."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.instance import Instance
from tests.lab.addresses import FURTHER_DOMAINS
from tests.lab.commands import wait_until
from tests.lab.world import World


def restarted(instance: Instance, before: dict[str, str]) -> set[str]:
    after = instance.started()
    return {name for name in before if before[name] != after[name]}


def refuses_a_body_of(instance: Instance, megabytes: int) -> bool:
    make = f"head --bytes={megabytes}000000 /dev/zero"
    post = f"curl --silent --output /dev/null --write-out '%{{http_code}}' --data-binary @- https://{instance.domain}/"
    return instance.world.visitor.run(f"{make} | {post}").stdout == "413"


def test_a_limit_of_both_nginx_changes_while_they_serve(instance: Instance) -> None:
    before = instance.started()
    assert not refuses_a_body_of(instance, 60)
    instance.converge(proxy_body_size_mib=50)
    assert refuses_a_body_of(instance, 60)
    instance.converge()
    assert not refuses_a_body_of(instance, 60)
    # It looks for the files of vhost.d only when it starts.
    assert restarted(instance, before) <= {"proxy/docker-gen"}


def test_another_domain_comes_with_a_certificate_and_leaves_without_a_trace(instance: Instance) -> None:
    other = Instance(instance.world, instance.server, instance.host, FURTHER_DOMAINS[instance.host])
    answers = f"curl --silent --fail --output /dev/null --max-time 5 https://{other.domain}/health"

    def is_served() -> bool:
        return instance.world.visitor.run(answers, check=False).returncode == 0

    instance.converge(alternate_domains=[other.domain])
    wait_until(f"{other.domain} is served", is_served, timeout=60)
    assert other.visit("/api/v2/instance").status == 200
    assert instance.run("ls /srv/proxy/vhost.d").split() == sorted([other.domain, instance.domain])

    instance.converge()
    assert instance.run("ls /srv/proxy/vhost.d").split() == [instance.domain]
    wait_until(f"{other.domain} is refused", lambda: not is_served(), timeout=30)
    assert instance.visit("/health").status == 200


def last_words_of_the_database(instance: Instance) -> str:
    return instance.run(f"docker logs --tail 20 {instance.container('mstdn', 'db')} 2>&1")


@pytest.mark.parametrize("interruption", [World.reboot, World.power_cut])
def test_everything_comes_back_by_itself_after_a(instance: Instance, interruption: Callable[[World], None]) -> None:
    interruption(instance.world)

    def all_are_well() -> bool:
        states = [each["State"] for each in instance.inspect_all().values()]
        return all(
            (state["Status"], state.get("Health", {"Status": "healthy"})["Status"]) == ("running", "healthy")
            for state in states
        )

    wait_until("all containers are healthy", all_are_well, timeout=120)
    assert interruption is World.reboot or "automatic recovery in progress" in last_words_of_the_database(instance)
    assert instance.visit("/api/v2/instance").status == 200
    assert instance.converge().changed == []


PATCHED = "Served from a build of our own: %{domain}"


def a_patch(instance: Instance) -> str:
    """In the form of git diff, made from the checkout, which stays as it was."""
    source = "/srv/mastodon/source"
    return instance.run(
        f"cd {source} && sed -i 's/^\\( *hosted_on:\\).*/\\1 {PATCHED}/' config/locales/en.yml"
        " && echo 'body { color: rebeccapurple; }' >>app/javascript/styles/application.scss"
        " && git diff; git checkout --quiet -- ."
    )


def test_images_are_built_from_the_checkout_and_the_operators_patches(instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "1.patch").write_text(a_patch(instance))
    own = {"mastodon_image_source": "source", "images_patches_directory": str(tmp_path)}
    try:
        built = instance.converge(**own)
        assert "tasks/images.py | Build Mastodon's images from the checkout" in built.changed
        page = instance.visit("/")
        assert f"Served from a build of our own: {instance.domain}" in page.body
        # The styles were compiled from the patched source, and are published to the inner nginx.
        (styles,) = re.findall(r'href="(/packs/[^"]+\.css)"', page.body)
        assert "rebeccapurple" in instance.visit(styles).body
        assert instance.inspect("mstdn", "streaming")["Config"]["Image"].startswith("mstdn-source/")
        assert instance.run("git -C /srv/mastodon/source status --porcelain") == ""
        assert instance.converge(**own).changed == []
    finally:
        instance.converge()
    assert "Served from a build of our own" not in instance.visit("/").body


def test_a_patch_that_does_not_apply_is_refused_and_nothing_stops(instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "1.patch").write_text(a_patch(instance).replace("hosted_on", "hosted_nowhere"))
    before = instance.started()
    refusal = instance.refusal(
        "tasks/images.py", mastodon_image_source="source", images_patches_directory=str(tmp_path)
    )
    assert "does not apply" in refusal and "config/locales/en.yml" in refusal
    assert restarted(instance, before) == set()
