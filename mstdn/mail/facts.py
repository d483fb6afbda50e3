"""Facts about the way of Mastodon's mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Fact, Lines, Question
from mstdn.mail.dns_messages import Texts, message_about, understood
from mstdn.shell import text_of


@dataclass(frozen=True)
class GoingOut:
    """
    How far Mastodon gets. `mail`: curl's exit code after a log-in at the mail server, `said`: that server's words where
    it says no, or else curl's. `outside`: curl's exit code after a visit elsewhere. None: nobody could be asked.
    """

    mail: int | None = None
    said: str = ""
    outside: int | None = None


class WayOut(EngineFact[GoingOut]):
    """What the container of web meets at the mail server and at another server. No mail is sent."""

    script = "mail/log_in"
    inside = True

    @classmethod
    def of(cls, project: str, elsewhere: str) -> Question[GoingOut]:
        """project: name of Mastodon's Compose project. elsewhere: a URL on the Internet."""
        return cls.question(project, elsewhere, text_of("mail/as_mastodon") + text_of("mail/go_out"))

    @override
    def read(self, lines: Lines) -> GoingOut:
        return GoingOut(
            mail=int(lines.one("mail")) if "mail" in lines else None,
            said=lines.get("said"),
            outside=int(lines.one("outside")) if "outside" in lines else None,
        )


class SenderRecords(Fact[tuple[Texts, ...]]):
    """The TXT records of some names, in their order, as the server's own DNS tells them."""

    script = "mail/records"

    @classmethod
    def of(cls, names: Iterable[str]) -> Question[tuple[Texts, ...]]:
        """names: whose TXT records."""
        return cls.question(*map(message_about, names))

    @override
    def read(self, lines: Lines) -> tuple[Texts, ...]:
        return tuple(understood(text) for _, text in sorted(lines.words("answer"), key=lambda each: int(each[0])))
