"""What stands in the way of provisioning, in words for the operator."""

from __future__ import annotations


class ProvisionError(Exception):
    """
    Something that only the operator can put right. Its text is a sentence or two: the fact, then what to type.

    It never holds a key: whoever raises it with words of a provider has taken the keys out of them.
    """


class ProviderError(ProvisionError):
    """
    A provider answered, and the answer is an error that no module has better words for.

    provider: its name, as the operator knows it. doing: what was asked for, as an infinitive without "to".
    status: of HTTP. code: the provider's own name of the error, or "". words: what the provider said.
    details: the body of the answer, or {} where it was no JSON object.
    """

    def __init__(self, provider: str, doing: str, status: int, code: str, words: str, details: dict[str, object]):
        self.provider, self.doing, self.status, self.code, self.words = provider, doing, status, code, words
        self.details = details
        said = f'"{words}"' if words else "nothing that explains it"
        named = f", {code}" if code and code != words else ""
        text = f"{provider} did not {doing}. Its answer: {said} (status {status}{named})."
        super().__init__(text + self._remedy())

    def _remedy(self) -> str:
        if self.status == 429:
            return " There were too many requests; run again in a few minutes."
        if self.status >= 500:
            return " That is a fault of its own; run again, and if it stays, look at its status page."
        return ""


class UnreachableError(ProvisionError):
    """No usable answer came: no connection, no time left, or no JSON. Whether the request was carried out is open."""


def did_you_mean(setting: str, offered: list[str]) -> str:
    """The end of a sentence about a value that a provider does not have: what it offers instead."""
    if not offered:
        return f"Set {setting} to one that it has."
    return f"Set {setting} to one of: {', '.join(offered)}."
