"""
What runs on the lab's servers come to anyway, done once for all of them before they are forked (tests/fork_server.py).
Only modules and caches are left of it: what deploy.py imports, the checksum of the operator's secrets, which is slow on
purpose, and the roots to trust, which are the same as long as the lab's Internet is up.
"""

from __future__ import annotations

from importlib import import_module

from pydantic import SecretStr

from mstdn.secrets.operator import fingerprint_of
from mstdn.verify.visitor import trust
from tests.lab.addresses import REPOSITORY, STATE
from tests.lab.world import SMTP_PASSWORD

OF_THE_SUITE = ("mstdn.connection", "mstdn.questions", "mstdn.preflight.looking", "mstdn.networks.reach")
# What others import in the middle of a run.
OF_OTHERS = (
    *("_strptime", "encodings.idna", "encodings.unicode_escape", "pydantic.plugin._loader"),
    *("gevent.fileobject", "gevent.resolver.thread", "gevent.threadpool"),
)

for name in (*OF_THE_SUITE, *OF_OTHERS):
    import_module(name)
for file in sorted((REPOSITORY / "mstdn").glob("*/operations.py")):
    import_module(f"mstdn.{file.parent.name}.operations")
fingerprint_of({"SMTP_PASSWORD": SecretStr(SMTP_PASSWORD)})
trust(str(STATE / "authorities.pem"))
