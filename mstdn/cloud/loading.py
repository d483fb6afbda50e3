"""Host data in, one frozen ProvisionSettings out, or one DeployError that lists everything there is to put right."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pyinfra.api.exceptions import DeployError
from pyinfra.api.host import Host

from mstdn.connection import THIS_COMPUTER
from mstdn.problems import Problem, report
from mstdn.secrets.operator import provider_keys, secrets_file_of
from mstdn.settings.loading import validated
from mstdn.settings.model import broken_relations
from mstdn.settings.own_values import misplaced_values
from mstdn.settings.provision import ProvisionSettings

# The group of inventory.py. This computer is not in it but works for it, so the operator's values count here too.
GROUP = "mastodon"


def provision_settings_for(host: Host) -> ProvisionSettings:
    """
    The settings of provision.py. This is the only place where provisioning reads host.data.

    Raises DeployError on any other host than this computer, and with every problem of the settings and of the
    providers' keys: what is wrong, the value seen, what to type instead.
    """
    if host.name != THIS_COMPUTER:
        raise DeployError(
            f"Provisioning runs on this computer and not on {host.name}; nothing was changed. Type: pyinfra @local "
            "provision.py (or one of its tasks)"
        )
    if GROUP not in host.groups:
        host.groups.append(GROUP)
    settings, problems = examine(host.data.dict(), host.groups)  # type: ignore[no-untyped-call]
    if settings is None:
        raise DeployError(report("The settings need correction; nothing was changed.", problems))
    return settings


def examine(
    data: Mapping[str, Any], groups: Collection[str] = (GROUP,)
) -> tuple[ProvisionSettings | None, list[Problem]]:
    """
    The settings in this host data and no problem, or None and every problem.

    groups: those that this computer counts to.
    """
    settings, invalid, problems = validated(ProvisionSettings, data)
    keys, key_problems = provider_keys(secrets_file_of(settings))
    # Without the file that was meant, nobody knows which keys there are.
    unknown_keys = {"secrets"} if "secrets_file" in invalid else set()
    problems = [
        *problems,
        *broken_relations(settings, keys, invalid | unknown_keys),
        *([] if unknown_keys else key_problems),
        *misplaced_values(groups, ()),
    ]
    return (None, problems) if problems else (settings, [])
