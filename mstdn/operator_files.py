"""
Where the operator's own files lie: beside his inventory, and where there is none of that name, beside deploy.py.

The inventory lies beside deploy.py as well, or in instances/<name>/ with all that belongs to that server.
"""

from __future__ import annotations

from pathlib import Path

SUITE_DIRECTORY = Path(__file__).resolve().parents[1]

_inventory_directory: Path | None = None


def remember_inventory(argument: str) -> None:
    """
    Take note of the inventory of this run: the first argument of pyinfra's command line, a file or names of hosts.

    config.py calls it, because only there pyinfra still has the argument; neither its Inventory nor its State knows it.
    """
    global _inventory_directory
    file = Path(argument)
    _inventory_directory = file.resolve().parent if file.is_file() else None


def inventory_directory() -> Path:
    """The directory of the inventory; that of deploy.py for a run that has hosts but no inventory file."""
    return _inventory_directory or SUITE_DIRECTORY


def operator_path(path: str | Path) -> Path:
    """
    The absolute path of a file or directory of the operator, which need not exist.

    A relative one lies beside the inventory, or beside deploy.py if it exists only there.
    """
    path = _without_tilde(path)
    beside_inventory, beside_suite = inventory_directory() / path, SUITE_DIRECTORY / path
    return beside_suite if beside_suite.exists() and not beside_inventory.exists() else beside_inventory


def secrets_path(path: str | Path) -> Path:
    """
    The absolute path of a file of the operator's secrets, which need not exist.

    An instance that has none gets none: those beside deploy.py are another server's.
    """
    instances = SUITE_DIRECTORY / "instances"
    of_an_instance = inventory_directory().is_relative_to(instances)
    return inventory_directory() / _without_tilde(path) if of_an_instance else operator_path(path)


def _without_tilde(path: str | Path) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        # This machine has no such user, and so no such file.
        return Path(path)


def values_file() -> str:
    """Where the operator's values belong, as he would name the file: for the server of this inventory, or these."""
    directory = inventory_directory()
    if directory == SUITE_DIRECTORY:
        return "group_data/mastodon.py"
    own, shared = directory / "group_data" / "mastodon.py", directory / "group_data" / "all.py"
    file = own if own.exists() else shared
    return str(file.relative_to(SUITE_DIRECTORY) if file.is_relative_to(SUITE_DIRECTORY) else file)
