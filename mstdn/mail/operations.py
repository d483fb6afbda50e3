"""A mail on the way that Mastodon's take, to see whether it arrives."""

from __future__ import annotations

from typing import Any

from pyinfra import host, logger
from pyinfra.api import Host, State, StringCommand
from pyinfra.connectors.util import CommandOutput
from typing_extensions import override

from mstdn.asking import ask
from mstdn.docker.engine import CONTAINER
from mstdn.fact import CouldNotLook
from mstdn.layout import MASTODON_PROJECT
from mstdn.mail.delivery import Way, refusal, sent
from mstdn.mail.facts import SenderRecords
from mstdn.mail.trust import address_of, domain_of, doubts, names
from mstdn.operation import is_the_moment_to_show, operation
from mstdn.refusal import refuse
from mstdn.shell import Commands, script, text_of


class ExplainedMail(StringCommand):
    """mstdn/mail/send.sh, with what its outcome means for people."""

    def __init__(self, way: Way, subject: str) -> None:
        self._way, self._subject = way, subject
        inside = text_of("mail/as_mastodon") + text_of("mail/hand_over")
        super().__init__(*script("mail/send", MASTODON_PROJECT, way.to, subject, inside, before=CONTAINER).bits)

    @override
    def execute(self, state: State, host: Host, connector_arguments: Any) -> tuple[bool, CommandOutput]:
        """Send it, and say what the mail server made of it."""
        arguments = {**connector_arguments, **self.connector_arguments}
        succeeded, output = host.run_shell_command(
            self, print_output=state.print_output, print_input=state.print_input, **arguments
        )
        found = sent(output.stdout)
        wrong = refusal(found, self._way) if succeeded else output.stderr.strip() or "The connection broke off."
        if wrong:
            for line in wrong.splitlines():
                host.log_styled(line, fg="red", log_func=logger.error)
        else:
            host.log(
                f'{self._way.server} took the mail "{self._subject}" for {self._way.to}: "{found.took}". Where it '
                "does not arrive in a few minutes, or lies among the spam, look at the warnings, and at the log of "
                "your provider.",
                logger.info,
            )
        return not wrong, CommandOutput([])


@operation
def tried_mail(to: str, server: str, port: int, sender: str, login: str, domain: str) -> Commands:
    """
    Send a mail as Mastodon would, and say what keeps others from believing its sender.

    + to: who gets it
    + server, port, sender, login: the settings by which Mastodon sends, for the explanation of what fails
    + domain: of the site, for the subject

    Each run sends one.
    """
    if not to:
        yield from refuse(
            "Who shall get the mail? An address outside of your own domain tells most: pyinfra inventory.py "
            "tasks/mail_test.py --data mail_test_to=you@example.org"
        )
        return
    if is_the_moment_to_show():
        for doubt in _doubts(domain_of(sender)):
            host.log(f"Warning: {doubt}", logger.warning)
    yield ExplainedMail(Way(server, port, address_of(sender), login, to), f"Test of the mail of {domain}")


def _doubts(domain: str) -> list[str]:
    asked = names(domain)
    try:
        answers = ask(SenderRecords.of(asked))
    except CouldNotLook as reason:
        return [f"What the DNS says of {domain} could not be looked at: {reason}."]
    return list(doubts(domain, dict(zip(asked, answers, strict=True))))
