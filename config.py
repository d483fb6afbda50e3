"""pyinfra's own configuration: it runs before the inventory is read and before any host is contacted."""

from pyinfra import config, state

from mstdn.connection import prepare

config.REQUIRE_PYINFRA_VERSION = "~=3.10.0"

prepare(state)
