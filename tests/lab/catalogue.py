"""
Every image of the lab: what it is made from, and under which name the lab's registry serves it.

The engine knows an image as mstdn-lab/<name>. Its recipe is the directory images/<directory> with a Dockerfile;
images that the Dockerfile takes from (FROM or COPY --from) are found by reading it.
"""

from dataclasses import dataclass

from mstdn import versions
from tests.lab.images.mastodon.releases import NEWEST_GOOD_RELEASE, RELEASES

DEBIAN_SUITES = {"13": "trixie", "12": "bookworm"}


@dataclass(frozen=True)
class Image:
    """One image. `arguments` are build arguments; `production_name` is "" for what the registry does not serve."""

    name: str
    directory: str
    arguments: tuple[tuple[str, str], ...] = ()
    production_name: str = ""
    further_context: tuple[str, ...] = ()  # directories beside `directory` that the Dockerfile copies from
    suite: tuple[str, ...] = ()  # files of the repository, by patterns, that the Dockerfile copies from suite/


# Which release is the newest is said to what is built: mstdn/versions.py is not there.
_NEWEST = ("NEWEST_RELEASE", NEWEST_GOOD_RELEASE)


def _mastodon(name: str, release: str) -> Image:
    arguments = (("RELEASE", release), *([_NEWEST] if name == "mastodon" else []))
    return Image(f"{name}:{release}", name, arguments, f"ghcr.io/mastodon/{name}:{release}")


def _official(reference: str) -> str:
    """Where the engine looks for an image that the suite names as Docker's own registry does."""
    return f"docker.io/{reference}" if "/" in reference else f"docker.io/library/{reference}"


# What a server has that was set up years ago: another major release, on the Debian of then.
OLDER_POSTGRES_IMAGE = "postgres:15-bookworm"
# What it will have. From 18 on the image has its data and its volume in other places (docker-library/postgres, 1259).
# No stable Debian has an 18 yet, so there is a 17 inside.
NEWER_POSTGRES_IMAGE = "postgres:17-in-the-places-of-18"
NEWER_POSTGRES_PLACES = (("DATA", "/var/lib/postgresql/17/docker"), ("PLACE", "/var/lib/postgresql"))


def _postgres(name: str, base: str, major: str, reference: str, places: tuple[tuple[str, str], ...] = ()) -> Image:
    return Image(name, "postgres", (("BASE", base), ("MAJOR", major), *places), _official(reference))


PUBLISHED = (
    _postgres("postgres", "base", "17", versions.POSTGRES_IMAGE),
    _postgres("postgres:15", "debian:12", "15", OLDER_POSTGRES_IMAGE),
    _postgres("postgres:18", "base", "17", NEWER_POSTGRES_IMAGE, NEWER_POSTGRES_PLACES),
    Image("redis", "redis", production_name=_official(versions.REDIS_IMAGE)),
    Image("nginx", "nginx", production_name=_official(versions.NGINX_IMAGE)),
    Image("docker-gen", "docker-gen", production_name=_official(versions.DOCKER_GEN_IMAGE)),
    Image("acme-companion", "acme-companion", production_name=_official(versions.ACME_COMPANION_IMAGE)),
    Image("socket-proxy", "socket-proxy", production_name=_official(versions.SOCKET_PROXY_IMAGE)),
    Image("node-exporter", "node-exporter", production_name=_official(versions.NODE_EXPORTER_IMAGE)),
    Image("postgres-exporter", "postgres-exporter", production_name=_official(versions.POSTGRES_EXPORTER_IMAGE)),
    *(_mastodon(name, release) for release in RELEASES for name in ("mastodon", "mastodon-streaming")),
)

SERVERS = tuple(Image(f"server:{version}", "server", (("DEBIAN", version),)) for version in DEBIAN_SUITES)

INFRASTRUCTURE = (
    Image("base", "base"),
    Image("identity", "identity"),
    Image("apt-repository", "apt-repository"),
    Image("registry", "registry"),
    Image("internet", "internet", (_NEWEST,), further_context=("mastodon",)),
    Image("visitor", "visitor"),
    Image("clouds", "clouds", suite=("tests/__init__.py", "tests/stand_ins/*.py", "mstdn/dns/zone_file.py")),
)

CATALOGUE = {image.name: image for image in (*PUBLISHED, *SERVERS, *INFRASTRUCTURE)}
