"""Container images: pulled at a pinned tag whose content is remembered, or built from the checkout."""

from collections.abc import Sequence
from hashlib import sha256

from pyinfra import host
from pyinfra.api import operation

from mstdn.images.facts import ImageBuilds, ImageStates
from mstdn.refusal import refuse
from mstdn.shell import Commands, script


@operation()
def pulled_images(references: Sequence[str], record: str, refresh: bool = False) -> Commands:
    """
    Ensure that the server has these images, and that each tag still stands for what it stood for at its first pull.

    + record: file on the server with one line "reference digest" for each image
    + refresh: take what the registries offer now and record that

    Nothing is stopped or started here. Refuses for an image on the server that differs from the record.
    """
    images = host.get_fact(ImageStates, record=record, references=list(references))
    if refresh:
        yield script("images/pull", record, "accept", *references)
        return
    for reference in references:
        recorded, present = images.recorded.get(reference), images.digests.get(reference)
        if recorded and present and recorded not in present:
            yield from refuse(
                f"{reference} on the server is not the image that was recorded at its first pull ({recorded}, now "
                f"{', '.join(sorted(present))}): somebody pulled or tagged another one. To go back to the recorded "
                f"one, remove it on the server (docker image rm {reference}) and run again; to keep this one: "
                "--data images_refresh=true"
            )
            return
    missing = [each for each in references if each not in images.ids or each not in images.recorded]
    if missing:
        yield script("images/pull", record, "refuse", *missing)


@operation()
def built_images(source: str, web: str, streaming: str, patches: Sequence[str]) -> Commands:
    """
    Ensure that both of Mastodon's images are built from the checkout as it is now, plus patches.

    + source: directory of the checkout on the server; the operator's modifications in it are built too
    + web, streaming: references to give the images
    + patches: texts in the form of git diff, applied in this order to a copy of the checkout
    """
    text = "\n".join(patches)
    patches_id = sha256(text.encode()).hexdigest()[:12]
    builds = host.get_fact(ImageBuilds, source=source, references=[web, streaming])
    if builds.tree and builds.built == [f"{builds.tree}-{patches_id}"] * 2:
        host.noop("both images were built from this source")
        return
    yield script("images/build", source, web, streaming, patches_id, stdin=text)
