"""
What has to arrive unharmed on any server: awkward text, 60 KiB of script, standard input, exit codes, being root.

Run by test_11_way_in.py; not a part of the suite.
"""

import shlex

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand
from pyinfra.api.exceptions import DeployError
from pyinfra.facts.server import Command
from pyinfra.operations import server

AWKWARD = """ it's "quoted" \\n \\\\ \\' !! !1 $HOME `id` $(id) ~ * ? [a] {b,c} %s # ; & | < > \u00fc\u2026

\ttab, and an empty line above; the last line is empty too
"""
# No two lines alike, so that it hardly gets shorter by compressing.
LONG = "\n".join(f": {number * 7919 % 99991} it''s {number}" for number in range(2900))[: 60 * 1024].rpartition("\n")[0]

shown = host.get_fact(Command, StringCommand("printf %s", QuoteString(AWKWARD)))
if shown != AWKWARD.rstrip("\n"):
    raise DeployError(f"The text came back as {shown!r}")
if host.get_fact(Command, f"{LONG}\necho '{len(LONG)}'; id -u") != f"{len(LONG)}\n0":
    raise DeployError("The long script was not carried out")
if host.get_fact(Command, "true") is not None:
    raise DeployError("Silence is not silent")

server.shell(
    name="Compare standard input",
    commands=[f'test "$(sha256sum)" = "$(printf %s {shlex.quote(AWKWARD)} | sha256sum)"'],
    _stdin=AWKWARD,
)
server.shell(name="Keep the exit code", commands=["exit 7"], _success_exit_codes=[7])
