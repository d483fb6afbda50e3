"""pyinfra's own configuration: it runs before the inventory is read and before any host is contacted."""

import click
from pyinfra import config, state

from mstdn.connection import prepare
from mstdn.operator_files import remember_inventory

config.REQUIRE_PYINFRA_VERSION = "~=3.10.0"

remember_inventory(click.get_current_context().params["inventory"])
prepare(state)
