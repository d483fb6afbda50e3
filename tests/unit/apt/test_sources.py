"""Files of apt's sources as other tools write them, with and without Docker's repository."""

from __future__ import annotations

import pytest

from mstdn.apt.facts import SourceFile, Sources
from mstdn.apt.sources import findings, without
from mstdn.finding import Finding

KEYRING = "/etc/apt/keyrings/docker.asc"
DOCKER = "https://download.docker.com/linux/debian"
OWN = "/etc/apt/sources.list.d/docker.sources"
DEBIAN = "deb http://deb.debian.org/debian trixie main\n"

ALONE = {
    "Docker's own older instructions": (
        "docker.list",
        "deb [arch=amd64 signed-by=/usr/k/docker.gpg] https://download.docker.com/linux/debian trixie stable\n",
    ),
    "add-apt-repository": (
        "archive_uri-https_download_docker_com_linux_debian-trixie.list",
        "deb [arch=amd64] https://download.docker.com/linux/debian trixie stable\n"
        "# deb-src [arch=amd64] https://download.docker.com/linux/debian trixie stable\n",
    ),
    "Ansible": (
        "download_docker_com_linux_debian.list",
        "deb https://download.docker.com/linux/debian trixie stable\n",
    ),
    "by HTTP, with a slash and sources": (
        "x.list",
        "deb http://download.docker.com/linux/debian/ trixie stable test\n"
        "deb-src http://download.docker.com/linux/debian/ trixie stable\n",
    ),
    "extrepo": (
        "extrepo_docker-ce.sources",
        "Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: trixie\nComponents: stable\n"
        "Architectures: amd64 arm64\nSigned-By: /var/lib/extrepo/keys/docker-ce.asc\n",
    ),
    "deb822-repository": (
        "docker-ce.sources",
        "# made by Ansible\nTypes: deb deb-src\nUris:\n https://download.docker.com/linux/debian/\nSuites: trixie\n"
        "Components: stable\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n"
        " -----END PGP PUBLIC KEY BLOCK-----\n",
    ),
}


def file(name: str, text: str) -> SourceFile:
    return SourceFile(f"/etc/apt/sources.list.d/{name}", "0644", text)


@pytest.mark.parametrize("name", ALONE)
def test_a_file_with_nothing_but_dockers_repository_goes(name: str) -> None:
    rewritten = without(file(*ALONE[name]), DOCKER)
    assert (rewritten.text, rewritten.changed) == (None, True)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("sources.list", DEBIAN + ALONE["Ansible"][1] + "# the end\n", DEBIAN + "# the end\n"),
        ("x.list", ALONE["Ansible"][1].strip() + "\n" + DEBIAN.strip(), DEBIAN.strip()),
        (
            "x.sources",
            ALONE["extrepo"][1] + "\nTypes: deb\nURIs: http://deb.debian.org/debian\nSuites: trixie\n",
            "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: trixie\n",
        ),
        (
            "x.sources",
            "Types: deb\nURIs: https://download.docker.com/linux/debian http://m.example.org/d\nSuites: trixie\n",
            "Types: deb\nURIs: http://m.example.org/d\nSuites: trixie\n",
        ),
    ],
)
def test_what_else_is_in_a_file_stays(name: str, before: str, after: str) -> None:
    rewritten = without(file(name, before), DOCKER)
    assert (rewritten.text, rewritten.changed) == (after, True)
    again = without(file(name, after), DOCKER)
    assert (again.text, again.changed) == (after, False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.list", "# deb https://download.docker.com/linux/debian trixie stable\n"),
        ("x.list", "deb https://download.docker.com/linux/ubuntu noble stable\n"),
        ("x.list", "deb https://mirror.example.org/download.docker.com/linux/debian trixie stable\n"),
        ("x.sources", ALONE["extrepo"][1] + "Enabled: no\n"),
        ("x.sources", "Enabled: False\n" + ALONE["extrepo"][1]),
        ("x.sources", "X-Seen: https://download.docker.com/linux/debian\n"),
    ],
)
def test_what_apt_does_not_read_as_dockers_repository_is_not_touched(name: str, text: str) -> None:
    rewritten = without(file(name, text), DOCKER)
    assert (rewritten.text, rewritten.changed) == (text, False)


def test_another_repository_in_the_suites_own_file_is_named() -> None:
    other = "Types: deb\nURIs: https://example.org/x\nSuites: trixie\n"
    (found,) = own_file(ALONE["extrepo"][1] + "\n" + other)
    assert found.level == "error"
    assert OWN in found.text and "https://example.org/x" in found.text and "docker.com" not in found.text


def own_file(text: str) -> list[Finding]:
    return list(findings(Sources((SourceFile(OWN, "0644", text),)), OWN, DOCKER, KEYRING, needed=True))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ALONE["extrepo"][1], id="Docker's repository"),
        pytest.param(
            f"Types: deb\nURIs: https://download.docker.com/mirror/debian\nSuites: trixie\nSigned-By: {KEYRING}\n",
            id="at another place, from another docker_repository",
        ),
        pytest.param("Types: deb\nURIs: https://download.docker.com/linux/deb", id="damaged"),
        pytest.param("", id="empty"),
    ],
)
def test_what_the_suites_own_file_may_hold_is_written_anew_without_a_word(text: str) -> None:
    assert own_file(text) == []


CONFLICT = (
    "Conflicting values set for option Signed-By regarding source https://download.docker.com/linux/debian/ trixie: "
    "/usr/share/keyrings/docker.gpg != /etc/apt/keyrings/docker.asc"
)
LISTS = "The list of sources could not be read."
BROKEN = f"Malformed stanza 1 in source list {OWN} (type)"
MALFORMED = "Malformed entry 1 in list file /etc/apt/sources.list.d/x.list (Component)"


def test_a_conflict_that_the_suite_mends_is_no_problem() -> None:
    assert not list(findings(Sources((), (CONFLICT, LISTS, BROKEN)), OWN, DOCKER, KEYRING, needed=True))


@pytest.mark.parametrize(("needed", "level"), [(True, "error"), (False, "warning")])
def test_a_source_of_somebody_else_that_apt_cannot_read_is_told_in_its_words(*, needed: bool, level: str) -> None:
    (found,) = findings(Sources((), (CONFLICT, MALFORMED, LISTS)), OWN, DOCKER, KEYRING, needed=needed)
    assert found.level == level
    assert MALFORMED in found.text and "Conflicting" not in found.text
