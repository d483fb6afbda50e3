"""
Making the lab's images, each once: an image carries the fingerprint of everything that it was made from, and is made
again only when that changes.

There are three kinds: Debian itself (from mmdebstrap), the Dockerfiles of the catalogue, and the registry's content
(all published images, put into a registry and kept as one image).
"""

import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from tests.lab import debian
from tests.lab.catalogue import CATALOGUE, DEBIAN_SUITES, PUBLISHED, Image
from tests.lab.commands import LabError, run, step
from tests.lab.engine import Engine

DIRECTORY = Path(__file__).parent / "images"
PREFIX = "mstdn-lab/"
LABEL = "mstdn-lab.fingerprint"
REGISTRY_CONTENT = "registry-content"
FILLER = "mstdn-lab-filler"

_FROM = re.compile(rf"^(?:FROM|COPY --from=)\s*{PREFIX}([^\s]+)", re.MULTILINE)


def provide(engine: Engine, *names: str) -> None:
    """
    Make these images, and those that they are made from, unless they are there already.

    Raises LabError when a recipe is missing or fails.
    """
    present = _present(engine)
    for name in _in_order(names):
        if present.get(name) == fingerprint(name):
            continue
        with step(f"Make image {name}"):
            _make(engine, name)
    engine.run("image", "prune", "--force", "--filter", f"label={LABEL}")


def remove_all(engine: Engine) -> None:
    """Delete every image of the lab from the engine."""
    if present := _present(engine):
        engine.run("image", "rm", "--force", *(PREFIX + name for name in present))
    engine.run("image", "prune", "--force", "--filter", f"label={LABEL}")


def _present(engine: Engine) -> dict[str, str]:
    """Fingerprints of the lab's images in the engine, by name."""
    listed = engine.run("image", "ls", "--filter", f"label={LABEL}", "--format", "{{.Repository}}:{{.Tag}}")
    tags = [tag for tag in listed.stdout.split() if tag.startswith(PREFIX) and not tag.endswith(":<none>")]
    if not tags:
        return {}
    marks = engine.run("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', *tags)
    names = (tag.removeprefix(PREFIX).removesuffix(":latest") for tag in tags)
    return dict(zip(names, marks.stdout.split(), strict=True))


def _in_order(names: tuple[str, ...]) -> list[str]:
    """The names with all that they are made from, parents first, each once."""
    ordered: dict[str, None] = {}
    for name in names:
        ordered |= dict.fromkeys(_in_order(parents(name)))
        ordered[name] = None
    return list(ordered)


@cache
def parents(name: str) -> tuple[str, ...]:
    """Names of the images that this one is made from, as its recipe says."""
    if name == REGISTRY_CONTENT:
        return ("registry", *(image.name for image in PUBLISHED))
    if name.startswith("debian:"):
        return ()
    image = _image(name)
    recipe = (DIRECTORY / image.directory / "Dockerfile").read_text()
    for key, value in image.arguments:
        recipe = recipe.replace(f"${{{key}}}", value).replace(f"${key}", value)
    return tuple(dict.fromkeys(_FROM.findall(recipe)))


@cache
def fingerprint(name: str) -> str:
    """SHA-256, in hexadecimal, of everything that the image is made from."""
    digest = hashlib.sha256(name.encode())
    for parent in parents(name):
        digest.update(fingerprint(parent).encode())
    if name == REGISTRY_CONTENT:
        digest.update(repr(_publications()).encode())
    elif name.startswith("debian:"):
        digest.update(repr(_bootstrap_command(name)).encode())
    else:
        image = _image(name)
        digest.update(repr(image.arguments).encode())
        digest.update(_context(image))
    return digest.hexdigest()


def _image(name: str) -> Image:
    """The catalogue's entry, or a plain one for a directory that only other recipes need."""
    image = CATALOGUE.get(name, Image(name, name))
    if not (DIRECTORY / image.directory / "Dockerfile").exists():
        raise LabError(f"The image {name} has no recipe: {DIRECTORY / image.directory / 'Dockerfile'} is missing.")
    return image


def _context(image: Image) -> bytes:
    """The build context as a tar archive that depends on names, modes and contents only."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for directory, prefix in ((image.directory, ""), *((name, f"{name}/") for name in image.further_context)):
            top = DIRECTORY / directory
            for path in sorted(top.rglob("*")):
                if "__pycache__" not in path.parts and not path.is_dir():
                    entry = tar.gettarinfo(path, prefix + str(path.relative_to(top)))
                    entry.mtime = entry.uid = entry.gid = 0
                    entry.uname = entry.gname = ""
                    entry.mode = 0o755 if entry.mode & 0o100 else 0o644
                    tar.addfile(entry, io.BytesIO(path.read_bytes()) if entry.isreg() else None)
    return archive.getvalue()


def _make(engine: Engine, name: str) -> None:
    if name == REGISTRY_CONTENT:
        _fill_registry(engine)
    elif name.startswith("debian:"):
        _bootstrap(engine, name)
    else:
        _build(engine, _image(name))


def _build(engine: Engine, image: Image) -> None:
    arguments = [part for key, value in image.arguments for part in ("--build-arg", f"{key}={value}")]
    engine.run(
        *("build", "--network", "host", "--force-rm", *arguments),
        *("--label", f"{LABEL}={fingerprint(image.name)}", "--tag", PREFIX + image.name, "-"),
        stdin=_context(image),
        title=f"docker build {image.name}",
    )


def _bootstrap_command(name: str) -> list[str]:
    # Without a mirror argument, mmdebstrap writes Debian's own addresses into the image, updates and security included.
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "info", "locale", "man")]
    suite = DEBIAN_SUITES[name.removeprefix("debian:")]
    return ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", *excluded, suite]


def _bootstrap(engine: Engine, name: str) -> None:
    if not shutil.which("mmdebstrap"):
        debian.install("mmdebstrap", "debian-archive-keyring")
    if os.geteuid() != 0 and not shutil.which("newuidmap"):
        debian.install("uidmap")  # without it, mmdebstrap works only for root
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        run([*_bootstrap_command(name), archive.name])
        change = f"LABEL {LABEL}={fingerprint(name)}"
        engine.run("import", "--change", change, "-", PREFIX + name, stdin=archive)


def _publications() -> list[str]:
    """Pairs of an image's name in the engine and its production name, one after the other."""
    return [name for image in PUBLISHED for name in (f"{PREFIX}{image.name}", image.production_name)]


def _fill_registry(engine: Engine) -> None:
    engine.run("rm", "--force", FILLER, check=False)  # left by a run that was killed
    engine.run("run", "--detach", "--network", "none", "--name", FILLER, PREFIX + "registry")
    pairs = _publications()
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "images.tar"
        engine.run("save", "--output", str(archive), *pairs[::2])
        with archive.open("rb") as content:
            engine.run("exec", "--interactive", FILLER, "sh", "/lab/publish", *pairs, stdin=content, title="publish")
    change = f"LABEL {LABEL}={fingerprint(REGISTRY_CONTENT)}"
    engine.run("commit", "--change", change, FILLER, PREFIX + REGISTRY_CONTENT)
    engine.run("rm", "--force", FILLER)
