"""
Preflight: whatever can be refused is refused here, all at once and before the first change. It changes nothing.

What a run that lost its connection has begun goes on as a unit of the server: this one waits for it first.

Run by itself:  pyinfra inventory.py tasks/preflight.py
"""

import time

from pyinfra import host, logger
from pyinfra.api.exceptions import DeployError, FactProcessError

from mstdn.database.operations import joined_work
from mstdn.layout import MastodonLayout
from mstdn.preflight.looking import look
from mstdn.settings import settings_for

settings = settings_for(host)
layout = MastodonLayout(settings.mastodon_root)

try:
    found = look(settings, now=time.time())
except FactProcessError as error:
    raise DeployError(str(error)) from None

for finding in found:
    if finding.level == "warning":
        host.log(f"Warning: {finding.text}", logger.warning)

errors = [f"- {finding.text}" for finding in found if finding.level == "error"]
if errors:
    raise DeployError("\n\n".join([f"{host.name} is not ready. Nothing was changed.", *errors]))

joined_work(
    name="Wait for what an earlier run has begun",
    marker=layout.installed,
    database=layout.database,
)
