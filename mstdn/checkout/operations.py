"""Source checkouts."""

from pyinfra import host

from mstdn.asking import ask
from mstdn.checkout.facts import GitCheckout
from mstdn.docker.presence import needs_engine
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.shell import Commands, script


@operation
@needs_engine
def git_checkout(repository: str, directory: str, tag: str) -> Commands:
    """
    Ensure a shallow checkout of exactly `tag`.

    Nothing is fetched when it is there already. What the operator changed in it is never overwritten: at the wanted tag
    it stays, and moving to another tag is refused.
    """
    checkout = ask(GitCheckout.of(directory, tag))
    if checkout.switching:
        # An earlier run was killed between two tags; it had found nothing of the operator's to lose.
        yield script("checkout/fetch", repository, directory, tag)
        return
    if checkout.head and checkout.head == checkout.wanted:
        host.noop(f"{directory} is at {tag}")
        return
    if checkout.modified:
        yield from refuse(
            f"{directory} has modifications that moving to {tag} would lose ({'; '.join(checkout.modified)}). "
            "Keep them as patches in images_patches_directory, or drop them on the server: "
            f"git -C {directory} stash --include-untracked"
        )
        return
    if checkout.head and not checkout.tagged:
        yield from refuse(
            f"{directory} is at a commit of its own ({checkout.head[:12]}), which moving to {tag} would lose. "
            "Keep it as a patch in images_patches_directory, then go back on the server: "
            f"git -C {directory} checkout --detach TAG"
        )
        return
    announce(f"{directory} is {'at ' + checkout.tagged if checkout.head else 'not there'}")
    yield script("checkout/fetch", repository, directory, tag)
