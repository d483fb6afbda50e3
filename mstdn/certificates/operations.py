"""The site's certificates."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mstdn.asking import ask
from mstdn.certificates.facts import CertificateStates
from mstdn.certificates.rules import steps
from mstdn.docker.engine import CONTAINER
from mstdn.docker.presence import needs_engine
from mstdn.operation import announce, operation
from mstdn.shell import Commands, script


@operation
@needs_engine
def certificates(proxy_root: str, prefix: str, names: Sequence[str]) -> Commands:
    """
    Ensure that nginx serves each name with a certificate of its own that is valid for a while.

    + proxy_root: of the proxy
    + prefix: of the client's directories
    + names: host names for which the proxy answers

    What the authority's client still keeps is put back. Only what it does not have any more is ordered, once in each
    run. A first certificate is on its way by itself.
    """
    found = ask(CertificateStates.of(proxy_root, prefix, names))
    todo = steps(found, names, time.time())
    announce(*todo.reasons)
    for name in todo.install:
        yield script("certificates/install", proxy_root, prefix, name)
    for name in todo.order:
        yield script("certificates/forget", proxy_root, name)
    if todo.ask:
        yield script("certificates/look", proxy_root, prefix, *names, before=CONTAINER)
    if todo.reload:
        yield script("proxy/reload", proxy_root)
