"""
Making the lab's images, each once: an image has the fingerprint of everything that it was made from in its tag, and is
made again only when that changes. So several labs, also those of other checkouts, share what they have in common and
do not disturb each other where they differ.

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
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.lab import debian
from tests.lab.addresses import REPOSITORY
from tests.lab.catalogue import CATALOGUE, DEBIAN_SUITES, PUBLISHED, Image
from tests.lab.commands import LabError, run, step
from tests.lab.engine import Engine

DIRECTORY = Path(__file__).parent / "images"
PREFIX = "mstdn-lab/"
LABEL = "mstdn-lab.fingerprint"
NEEDS = "mstdn-lab.needs"
REGISTRY_CONTENT = "registry-content"
FILLER = "mstdn-lab-filler"

_FROM = re.compile(rf"^((?:FROM|COPY --from=)\s*){PREFIX}([^\s]+)", re.MULTILINE)
_OURS = re.compile(rf"{PREFIX}.+[:-][0-9a-f]{{12}}")  # a tag that `tag` made


def provide(engine: Engine, *names: str) -> None:
    """
    Make these images, and those that they are made from, unless they are there already; images that no recipe makes any
    more, and no lab of another checkout needs, are deleted. One at a time on a machine.

    Raises LabError when a recipe is missing or fails.
    """
    present = _present(engine)
    for name in _missing(present, *names):
        with step(f"Make image {name}"):
            _make(engine, name)
    needed = {tag(name) for name in _in_order((*names, *CATALOGUE))} | _needed_by_containers(engine)
    _remove(engine, [image for image in present if _OURS.fullmatch(image) and image not in needed])


def remove_all(engine: Engine) -> None:
    """Delete every image of every lab from the engine."""
    _remove(engine, sorted(_present(engine)))


def tag(name: str) -> str:
    """The image's name in the engine: mstdn-lab/server:13-1f2e3d4c5b6a or mstdn-lab/visitor:1f2e3d4c5b6a."""
    return f"{PREFIX}{name}{'-' if ':' in name else ':'}{fingerprint(name)[:12]}"


def needs(name: str) -> str:
    """A label that tells other labs which images a container was made from, so that they leave them alone."""
    return f"{NEEDS}={' '.join(map(tag, _in_order((name,))))}"


def _needed_by_containers(engine: Engine) -> set[str]:
    template = f'{{{{.Label "{NEEDS}"}}}}'
    return set(engine.run("ps", "--all", "--filter", f"label={NEEDS}", "--format", template).stdout.split())


def _remove(engine: Engine, tags: list[str]) -> None:
    if tags:
        engine.run("image", "rm", "--force", *tags, check=False)  # what a container of somebody else runs on stays
    engine.run("image", "prune", "--force", "--filter", f"label={LABEL}")


def _present(engine: Engine) -> set[str]:
    """Tags of all images of labs in the engine."""
    listed = engine.run("image", "ls", "--filter", f"label={LABEL}", "--format", "{{.Repository}}:{{.Tag}}")
    return {image for image in listed.stdout.split() if image.startswith(PREFIX) and not image.endswith(":<none>")}


def _missing(present: set[str], *names: str) -> list[str]:
    """What has to be made for these images, in order: an image that is there needs none of its parents."""
    ordered: dict[str, None] = {}
    for name in names:
        if tag(name) not in present:
            ordered |= dict.fromkeys([*_missing(present, *parents(name)), name])
    return list(ordered)


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
    return tuple(dict.fromkeys(parent for _, parent in _FROM.findall(_recipe(_image(name)))))


def _recipe(image: Image) -> str:
    """The Dockerfile with its arguments filled in where it names other images."""
    recipe = (DIRECTORY / image.directory / "Dockerfile").read_text()

    def filled_in(match: re.Match[str]) -> str:
        line = match.group()
        for key, value in image.arguments:
            line = line.replace(f"${{{key}}}", value)
        return line

    return _FROM.sub(filled_in, recipe)


@cache
def fingerprint(name: str) -> str:
    """SHA-256, in hexadecimal, of everything that the image is made from."""
    digest = hashlib.sha256(name.encode())
    for parent in parents(name):
        digest.update(fingerprint(parent).encode())
    if name == REGISTRY_CONTENT:
        digest.update(repr([image.production_name for image in PUBLISHED]).encode())
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


def dockerfile(image: Image) -> str:
    """The recipe with the tags of the images that it is made from."""
    return _FROM.sub(lambda match: f"{match[1]}{tag(match[2])}", _recipe(image))


def _context(image: Image, recipe: bytes | None = None) -> bytes:
    """The build context as a tar archive that depends on names, modes and contents only."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, path in _files(image):
            entry = tar.gettarinfo(path, name)
            entry.mtime = entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mode = 0o755 if entry.mode & 0o100 else 0o644
            content = path.read_bytes() if entry.isreg() else b""
            if recipe is not None and entry.name == "Dockerfile":
                content, entry.size = recipe, len(recipe)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def _files(image: Image) -> Iterator[tuple[str, Path]]:
    """Every file of the context, with its name there."""
    for directory, prefix in ((image.directory, ""), *((name, f"{name}/") for name in image.further_context)):
        top = DIRECTORY / directory
        for path in sorted(top.rglob("*")):
            if "__pycache__" not in path.parts and not path.is_dir() and path != top / "README.md":
                yield prefix + str(path.relative_to(top)), path
    for pattern in image.suite:
        for path in sorted(REPOSITORY.glob(pattern)):
            yield f"suite/{path.relative_to(REPOSITORY)}", path


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
        *("--label", f"{LABEL}={fingerprint(image.name)}", "--tag", tag(image.name), "-"),
        stdin=_context(image, dockerfile(image).encode()),
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
        engine.run("import", "--change", change, "-", tag(name), stdin=archive)


def _fill_registry(engine: Engine) -> None:
    engine.run("rm", "--force", FILLER, check=False)  # left by a run that was killed
    engine.run("run", "--detach", "--network", "none", "--name", FILLER, tag("registry"))
    pairs = [name for image in PUBLISHED for name in (tag(image.name), image.production_name)]
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "images.tar"
        engine.run("save", "--output", str(archive), *pairs[::2])
        with archive.open("rb") as content:
            engine.run("exec", "--interactive", FILLER, "sh", "/lab/publish", *pairs, stdin=content, title="publish")
    change = f"LABEL {LABEL}={fingerprint(REGISTRY_CONTENT)}"
    engine.run("commit", "--change", change, FILLER, tag(REGISTRY_CONTENT))
    engine.run("rm", "--force", FILLER)
