"""Alerts: what opens their way, and a test of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr
from pyinfra import logger
from pyinfra.api import Host, State, StringCommand
from pyinfra.connectors.util import CommandOutput
from typing_extensions import override

from mstdn.alerts.rules import NOBODY, outcome
from mstdn.fact import Question
from mstdn.files.tree import ConfigFile
from mstdn.layout import PROGRAMS, MastodonLayout
from mstdn.mail.delivery import Way
from mstdn.mail.trust import address_of
from mstdn.operation import operation
from mstdn.refusal import refuse
from mstdn.secrets.private import private_files, private_states
from mstdn.settings import Settings
from mstdn.shell import Commands, script

NAMES = ("webhook",)


def alert_questions(settings: Settings) -> Question[Any]:
    """What alert_secrets asks."""
    return private_states(MastodonLayout(settings.mastodon_root).alert_secrets, NAMES)


@operation
def alert_secrets(settings: Settings, brought: Mapping[str, SecretStr]) -> Commands:
    """
    Ensure the address of the webhook for root alone, and nothing where there is none.

    + brought: by name, as secrets.env has them
    """
    directory = MastodonLayout(settings.mastodon_root).alert_secrets
    address = brought.get("ALERTS_WEBHOOK_URL") if settings.alerts_enabled else None
    files = [ConfigFile(f"{directory}/webhook", address.get_secret_value(), "0600")] if address else []
    yield from private_files(directory, files, NAMES)


class ExplainedAlerts(StringCommand):
    """mstdn/alerts/try.sh, with what its outcome means for people."""

    def __init__(self, way: Way) -> None:
        self._way = way
        super().__init__(*script("alerts/try", f"{PROGRAMS}/alerts", lock=False).bits)

    @override
    def execute(self, state: State, host: Host, connector_arguments: Any) -> tuple[bool, CommandOutput]:
        """Send one by each channel, and say what became of it."""
        arguments = {**connector_arguments, **self.connector_arguments}
        succeeded, output = host.run_shell_command(
            self, print_output=state.print_output, print_input=state.print_input, **arguments
        )
        good, bad = outcome(output.stdout + "\n", self._way) if succeeded else ([], [output.stderr.strip()])
        if not good and not bad:
            bad = [NOBODY]
        for line in good:
            host.log(line, logger.info)
        for text in bad:
            for line in text.splitlines() or ["The connection broke off."]:
                host.log_styled(line, fg="red", log_func=logger.error)
        return not bad, CommandOutput([])


@operation
def tried_alerts(settings: Settings, brought: Mapping[str, SecretStr]) -> Commands:
    """
    Send one message by each channel, as an alert goes, and say what became of it. Each run sends one.

    + brought: the secrets of alerts by name
    """
    if not settings.alerts_enabled or not (settings.alerts_mail_to or brought):
        yield from refuse("Alerts are off (alerts_enabled = False)." if not settings.alerts_enabled else NOBODY)
        return
    yield ExplainedAlerts(
        Way(
            settings.smtp_server,
            settings.smtp_port,
            address_of(settings.smtp_from_address),
            settings.smtp_login,
            settings.alerts_mail_to,
        )
    )
