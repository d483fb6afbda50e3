"""
Every image of the lab: what it is made from, and under which name the lab's registry serves it.

The engine knows an image as mstdn-lab/<name>. Its recipe is the directory images/<directory> with a Dockerfile;
images that the Dockerfile takes from (FROM or COPY --from) are found by reading it.
"""

from dataclasses import dataclass

from tests.lab.images.mastodon.releases import RELEASES

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


def _mastodon(name: str, release: str) -> Image:
    return Image(f"{name}:{release}", name, (("RELEASE", release),), f"ghcr.io/mastodon/{name}:{release}")


PUBLISHED = (
    Image("postgres", "postgres", production_name="docker.io/library/postgres:17-trixie"),
    Image("redis", "redis", production_name="docker.io/library/redis:7.4-alpine"),
    Image("nginx", "nginx", production_name="docker.io/library/nginx:1.30-alpine"),
    Image("docker-gen", "docker-gen", production_name="docker.io/nginxproxy/nginx-proxy:1.11-dockergen"),
    Image("acme-companion", "acme-companion", production_name="docker.io/nginxproxy/acme-companion:2.8"),
    Image("socket-proxy", "socket-proxy", production_name="docker.io/wollomatic/socket-proxy:1.13.1"),
    *(_mastodon(name, release) for release in RELEASES for name in ("mastodon", "mastodon-streaming")),
)

SERVERS = tuple(Image(f"server:{version}", "server", (("DEBIAN", version),)) for version in DEBIAN_SUITES)

INFRASTRUCTURE = (
    Image("base", "base"),
    Image("identity", "identity"),
    Image("apt-repository", "apt-repository"),
    Image("registry", "registry"),
    Image("internet", "internet", further_context=("mastodon",)),
    Image("visitor", "visitor"),
    Image("clouds", "clouds", suite=("tests/__init__.py", "tests/stand_ins/*.py", "mstdn/dns/zone_file.py")),
)

CATALOGUE = {image.name: image for image in (*PUBLISHED, *SERVERS, *INFRASTRUCTURE)}
