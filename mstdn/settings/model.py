"""
All settings of a host: the parts of all components, in the order of group_data/all.py and docs/settings.md.

Settings are those of deploy.py; after them come those that only provision.py has.

A setting is told by the component that it is named after: mstdn/<component>/settings.py.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from inspect import signature

from pydantic.fields import FieldInfo

from mstdn.adopt.settings import AdoptSettings
from mstdn.alerts.settings import AlertsSettings
from mstdn.app.settings import AppSettings
from mstdn.backup.settings import BackupSettings
from mstdn.checkout.settings import CheckoutSettings
from mstdn.chores.settings import ChoresSettings
from mstdn.database.settings import DatabaseSettings
from mstdn.docker.settings import DockerSettings
from mstdn.drill.settings import DrillSettings
from mstdn.firewall.settings import FirewallSettings
from mstdn.images.settings import ImagesSettings
from mstdn.kinds.part import Part
from mstdn.mail.settings import MailSettings
from mstdn.monitoring.settings import MonitoringSettings
from mstdn.networks.settings import NetworksSettings
from mstdn.object_store.settings import ObjectStoreSettings
from mstdn.owner.settings import OwnerSettings
from mstdn.postgres.settings import PostgresSettings
from mstdn.preflight.settings import PreflightSettings
from mstdn.problems import Problem
from mstdn.proxy.settings import ProxySettings
from mstdn.restore.settings import RestoreSettings
from mstdn.retention.settings import RetentionSettings
from mstdn.secrets.settings import SecretsSettings
from mstdn.settings.provision import PROVISION_PARTS, ProvisionSettings
from mstdn.sizing.settings import SizingSettings
from mstdn.status.settings import StatusSettings
from mstdn.swap.settings import SwapSettings
from mstdn.uninstall.settings import UninstallSettings
from mstdn.updates.settings import UpdatesSettings
from mstdn.verify.settings import VerifySettings


class Settings(
    AppSettings,
    MailSettings,
    SecretsSettings,
    ObjectStoreSettings,
    ProxySettings,
    SizingSettings,
    ImagesSettings,
    CheckoutSettings,
    PreflightSettings,
    SwapSettings,
    FirewallSettings,
    DockerSettings,
    UpdatesSettings,
    NetworksSettings,
    VerifySettings,
    BackupSettings,
    DrillSettings,
    RestoreSettings,
    AdoptSettings,
    AlertsSettings,
    MonitoringSettings,
    RetentionSettings,
    ChoresSettings,
    DatabaseSettings,
    PostgresSettings,
    OwnerSettings,
    StatusSettings,
    UninstallSettings,
):
    """
    The validated settings of one host.

    Nothing is coerced, except that a list may also be a tuple, that spaces are removed from a fingerprint,
    that IP addresses get their usual form and that paths on the operator's machine are made absolute.
    """


DEPLOY_PARTS: tuple[type[Part], ...] = tuple(part for part in Settings.__bases__ if issubclass(part, Part))
PARTS = (*DEPLOY_PARTS, *PROVISION_PARTS)
# Each setting's type, default and meaning by its name, in their order.
FIELDS: dict[str, FieldInfo] = {name: field for part in PARTS for name, field in part.model_fields.items()}


def broken_relations(
    settings: Settings | ProvisionSettings, secrets: Container[str], invalid: Container[str]
) -> Iterator[Problem]:
    """
    Every broken relation among the settings that are not in `invalid`.

    secrets: the names of the operator's secrets that are set: those of the server, or the keys of providers.
    """
    for part in type(settings).__bases__:
        if issubclass(part, Part):
            for relation in part.relations:
                names = signature(relation).parameters
                if not any(name in invalid for name in names):
                    values = {name: secrets if name == "secrets" else getattr(settings, name) for name in names}
                    yield from relation(**values)
