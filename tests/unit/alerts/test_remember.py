"""Each incident is told once, and its end once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.harness import run_script

WEB, DISK = "container/mstdn/web\tweb of mstdn is exited.", "disk//mnt/my disk\tThe disk is full."
BEGIN = 1_800_000_000


class Memory:
    """What a server remembers, round by round, five minutes apart."""

    def __init__(self, directory: Path, channels: str = "mail") -> None:
        self.file, self.channels, self.now = directory / "known", channels, BEGIN
        self.wrong = directory / "wrong"
        self.file.write_text("")

    def round(self, *wrong: str) -> list[str]:
        """One round in which these are wrong. Returns what is to be told; it is told."""
        self.wrong.write_text("".join(f"{line}\n" for line in wrong))
        answer = run_script("alerts/remember", self.file, self.wrong, str(self.now), self.channels)
        assert (answer.returncode, answer.stderr) == (0, "")
        self.now += 300
        lines = answer.stdout.splitlines()
        self.file.write_text("".join(f"{line}\n" for line in lines if not line.startswith("pending ")))
        return [line.removeprefix("pending ") for line in lines if line.startswith("pending ")]

    def rounds(self, *wrong: Sequence[str]) -> list[str]:
        return [told for each in wrong for told in self.round(*each)]


def rest(lines: Iterable[str]) -> list[str]:
    return [line.split(" ", 1)[1] for line in lines]


def test_what_is_wrong_twice_is_told_once_and_its_end_once(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    told = [memory.round(*wrong) for wrong in ([WEB], [WEB], [WEB], [WEB], [], [], [], [])]
    assert told == [
        [],
        ["mail WRONG: web of mstdn is exited."],
        [],
        [],
        [],
        ["mail MENDED after 25 minutes: web of mstdn is exited."],
        [],
        [],
    ]
    assert memory.file.read_text() == ""


def test_what_mends_itself_at_once_is_not_told_and_what_flutters_is_one_incident(tmp_path: Path) -> None:
    assert Memory(tmp_path).rounds([WEB], [], [WEB], []) == []
    assert rest(Memory(tmp_path).rounds([WEB], [WEB], [], [WEB], [], [WEB], [], [])) == [
        "WRONG: web of mstdn is exited.",
        "MENDED after 35 minutes: web of mstdn is exited.",
    ]


def test_what_comes_again_after_its_end_is_told_again(tmp_path: Path) -> None:
    assert len(Memory(tmp_path).rounds([WEB], [WEB], [], [], [WEB], [WEB])) == 3


def test_several_things_are_incidents_of_their_own_with_spaces_in_their_names(tmp_path: Path) -> None:
    told = Memory(tmp_path).rounds([WEB], [WEB, DISK], [DISK], [DISK], [], [])
    assert [line[:12] for line in rest(told)] == ["WRONG: web o", "WRONG: The d", "MENDED after", "MENDED after"]


def test_what_could_not_be_looked_at_neither_begins_nor_ends(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    assert len(memory.rounds([WEB], [WEB])) == 1
    assert memory.rounds(*[["?container/"]] * 5) == []
    assert memory.rounds(["?disk/"], []) == ["mail MENDED after 40 minutes: web of mstdn is exited."]


def test_a_text_that_changes_is_the_same_incident(tmp_path: Path) -> None:
    texts = ([f"backup\tThe last backup is {days} days old."] for days in (3, 3, 4, 5))
    assert rest(Memory(tmp_path).rounds(*texts)) == ["WRONG: The last backup is 3 days old."]


def test_each_channel_gets_its_own_and_what_was_not_sent_stays(tmp_path: Path) -> None:
    memory = Memory(tmp_path, "journal mail webhook")
    told = memory.rounds([WEB], [WEB])
    assert told == [f"{each} WRONG: web of mstdn is exited." for each in ("journal", "mail", "webhook")]
    memory.file.write_text(
        "pending mail WRONG: old\nfailed mail 7 no answer\npending gone WRONG: old\nfailed gone 7 x\n"
    )
    memory.channels = "mail"
    assert memory.round() == ["mail WRONG: old"]
    assert memory.file.read_text() == "failed mail 7 no answer\n"


def test_what_waits_to_be_sent_does_not_grow_for_ever(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.file.write_text("".join(f"pending mail WRONG: {number}\n" for number in range(500)))
    kept = memory.round()
    assert len(kept) == 200 and kept[-1] == "mail WRONG: 499"
