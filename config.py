"""pyinfra's own configuration: it runs before the inventory is read and before any host is contacted."""

import sys

import click
from pyinfra import config, state

# pyinfra has Python keep no byte code, for the sake of the files that it only executes, as this one. The suite is
# imported: without byte code each run would compile it anew.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)

from mstdn.connection import prepare  # noqa: E402
from mstdn.operator_files import remember_inventory  # noqa: E402

config.REQUIRE_PYINFRA_VERSION = "~=3.10.0"

command_line = click.get_current_context().params
remember_inventory(command_line["inventory"])
prepare(state, command_line["operations"])
