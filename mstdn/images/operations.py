"""Container images: pulled at a pinned tag whose content is remembered, or built from the checkout."""

from collections.abc import Sequence, Set
from hashlib import sha256

from pyinfra import host

from mstdn.asking import ask
from mstdn.docker.presence import needs_engine
from mstdn.files.commands import put_file
from mstdn.images.facts import ImageStates, RecordedImages, SourceTree
from mstdn.images.tags import moved, record_of, record_text
from mstdn.layout import ROOT
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.shell import Commands, script
from mstdn.timers.following import deployment_work

PULL = ("images/put_in_order", "connection", "lock", "images/pull")
BUILD = ("images/put_in_order", "connection", "lock", "images/build")


@operation
@needs_engine
def pulled_images(references: Sequence[str], images: Sequence[str], record: str, refresh: bool = False) -> Commands:
    """
    Ensure that the server has these images, and that each tag still stands for what it stood for at its first pull.

    + images: references of all images that the suite knows
    + record: file on the server with one line "reference digest" for each image
    + refresh: take what the registries offer now and record that

    Nothing is stopped or started here. The pull is work of the server, which goes on without this connection. Refuses
    for an image on the server that differs from the record, and for one that was pulled and turned out to differ.
    """
    found, recorded = ask(ImageStates.of(images)), ask(RecordedImages.of(record))
    if not refresh and (changed := moved(references, recorded, found.digests)):
        yield from refuse("\n".join(_changed_here(each, *digests) for each, digests in changed.items()))
        return
    missing = [each for each in references if refresh or each not in found.ids or each not in recorded]
    if not missing:
        return
    if not refresh:
        announce(*(f"{each} {'is not noted' if each in found.ids else 'is not on the server'}" for each in missing))
    yield from deployment_work(f"The pull of {len(missing)} images", *missing, program=PULL)
    found = ask(ImageStates.of(images))
    if not refresh and (changed := moved(missing, recorded, found.digests)):
        # It would count as "changed here" in the next run, which has another remedy.
        yield script("images/forget", *changed)
        yield from refuse("\n".join(_moved_there(each, *digests) for each, digests in changed.items()))
        return
    yield put_file(record, ROOT, "0644", record_text(record_of(missing, recorded, found.digests)))


def _changed_here(reference: str, recorded: str, present: Set[str]) -> str:
    return (
        f"{reference} on the server is not the image that was recorded at its first pull ({recorded}, now "
        f"{', '.join(sorted(present))}): somebody pulled or tagged another one. To go back to the recorded one, remove "
        f"it on the server (docker image rm {reference}) and run again; to keep this one: --data images_refresh=true"
    )


def _moved_there(reference: str, recorded: str, offered: Set[str]) -> str:
    return (
        f"The tag {reference} moved: at its first pull it stood for {recorded}, now the registry offers "
        f"{', '.join(sorted(offered))}. Nothing was stopped. A release's tag should never move; that of a base image "
        "does when it is built anew with security fixes. To take what the registry offers now: "
        "pyinfra inventory.py deploy.py --data images_refresh=true"
    )


@operation
@needs_engine
def built_images(source: str, web: str, streaming: str, patches: Sequence[str], images: Sequence[str]) -> Commands:
    """
    Ensure that both of Mastodon's images are built from the checkout as it is now, plus patches.

    + source: directory of the checkout on the server; the operator's modifications in it are built too
    + images: references of all images that the suite knows
    + web, streaming: references to give the images
    + patches: texts in the form of git diff, applied in this order to a copy of the checkout

    The build, which takes a quarter of an hour and more, is work of the server, as the pull is.
    """
    text = "\n".join(patches)
    patches_id = sha256(text.encode()).hexdigest()[:12]
    tree, built = ask(SourceTree.of(source)), ask(ImageStates.of(images)).built
    if tree and {built.get(web), built.get(streaming)} == {f"{tree}-{patches_id}"}:
        host.noop("both images were built from this source")
        return
    yield from deployment_work(f"The build of {web}", source, web, streaming, patches_id, program=BUILD, stdin=text)
