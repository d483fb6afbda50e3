"""What the suite knows of a server: the three kinds of answer, and that every fact gives one of them."""

from __future__ import annotations

import inspect
import random
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pyinfra.api.exceptions import FactProcessError
from typing_extensions import override

from mstdn.fact import CouldNotLook, Fact, Lines
from tests.harness import ROOT, all_facts, run_script


class Example(Fact[list[str]]):
    """The values of "word", which have to be there."""

    script = "swap/state"

    @override
    def read(self, lines: Lines) -> list[str]:
        return [lines.one("word"), *lines.all("word")[1:]]


# --- Lines --------------------------------------------------------------------------------------


def test_lines_are_read_by_their_keys() -> None:
    lines = Lines(["a 1", "b", "a 2  3", "", "c  x"])
    assert lines.all("a") == ["1", "2  3"] and lines.words("a") == [["1"], ["2", "3"]]
    assert lines.one("a") == "1" and lines.get("b") == "" and lines.one("c") == " x"
    assert "b" in lines and "d" not in lines
    assert lines.all("d") == [] and lines.get("d") == "" and lines.get("d", "e") == "e"
    with pytest.raises(KeyError):
        lines.one("d")


# --- One fact -----------------------------------------------------------------------------------


def test_a_fact_understands_its_lines() -> None:
    assert Example().process(["word a", "other", "word b"]) == ["a", "b"]


def test_a_script_that_could_not_look_is_neither_yes_nor_no() -> None:
    with pytest.raises(CouldNotLook) as reason:
        Example().process(["word a", "unknown Docker does not run"])
    assert str(reason.value) == "Docker does not run"


def _fail(error: type[Exception]) -> bool:
    raise error("x")


@pytest.mark.parametrize(
    "error", [ValueError, KeyError, IndexError, TypeError, AttributeError, ZeroDivisionError, StopIteration]
)
def test_every_error_of_reading_becomes_the_one_that_pyinfra_contains(error: type[Exception]) -> None:
    class Failing(Fact[None]):
        script = "swap/state"

        @override
        def read(self, lines: Lines) -> None:
            # As from a next() that finds nothing, which Python makes a RuntimeError of inside a generator.
            for _ in (_ for _ in [1] if _fail(error)):
                pass

    with pytest.raises(FactProcessError, match=r"^swap/state answered something unexpected: "):
        Failing().process([])


def test_every_fact_says_how_it_is_read() -> None:
    class Silent(Fact[None]):
        script = "swap/state"

    with pytest.raises(FactProcessError, match="Silent does not say how it is read"):
        Silent().process([])


# --- All facts ----------------------------------------------------------------------------------


def scripts_of_facts() -> Iterable[str]:
    """Every script that is a part of a question of the suite."""
    import mstdn.questions
    import mstdn.verify.operations  # noqa: F401

    facts = [each for each in all_facts() if each.__module__.startswith("mstdn.")]
    return [name for each in facts for name in (each.script, *each.before, *each.shared)]


# What no script prints, or not at this place.
STRANGE = (
    *("", "x", "1", "-1", "a b", "a b c", "a\tb\tc", "=", "a=b", "9" * 30, "NaN", "\u00e9", "fits yes", "a fits yes"),
    *("{}", "[]", "null", '{"id": 1}', "AAAA", "H4sIAAAA", "4 nat -A x", "a unreadable", "MOUNT=a b"),
)


@pytest.mark.parametrize(
    "fact", [each for each in all_facts() if each.__module__.startswith("mstdn.")], ids=lambda fact: fact.__name__
)
def test_no_answer_makes_a_fact_raise_what_pyinfra_does_not_contain(fact: type[Fact[Any]]) -> None:
    # That would end the run of all hosts.
    keys = sorted(set(re.findall(r'"(\w+)"', inspect.getsource(sys.modules[fact.__module__]))))
    choose = random.Random(fact.__name__)  # noqa: S311 (the same ones each time)
    for _ in range(100):
        lines = [f"{key} {choose.choice(STRANGE)}" for key in keys for _ in range(choose.choice((0, 1, 1, 2)))]
        with suppress(FactProcessError, CouldNotLook):
            fact().process(lines)


# Scripts that print what is in a file: their arguments, in which HERE is the directory that the file is in, its name
# there, and a line that they print something of.
REPORTED = ("HERE", "HERE", "HERE/swap", "HERE/none", "", "")
PRINT_A_FILE = (
    ("images/recorded", ("HERE/file",), "file", "postgres:17 sha256:1"),
    ("backup/state", ("HERE/file", "HERE/none"), "file", "time 1"),
    ("backup/state", ("HERE/none", "HERE/file"), "file", "snapshot 1a2b3c"),
    ("compose/applied", ("HERE", "--"), "state/mounted", "0  HERE/none"),
    ("database/state", ("HERE/file", "HERE", "none.service"), "file", "MASTODON_VERSION=v4.7.60"),
    ("postgres/look", ("HERE", "HERE/file", "none.service"), "file", "phase copy"),
    ("restore/look", ("latest", "HERE/file", "HERE", "HERE/none", "none"), "file", "snapshot 1a2b3c"),
    ("status/machine", ("HERE", "HERE/none"), "alerts", "failed mail 1 why"),
    ("status/machine", ("HERE", "HERE/none"), "backup", "time 1"),
    ("storage/state", ("HERE/file", "HERE", "HERE", "none", "", "HERE"), "file", "root /srv/mastodon"),
    ("files/written", ("HERE", "of the suite"), "file", "# of the suite"),
    ("preflight/report", REPORTED, "state/installed.env", "MASTODON_VERSION=v4.7.60"),
    ("preflight/report", REPORTED, "state/postgres-upgrade", "phase copy"),
)


@pytest.mark.parametrize("script, arguments, name, line", PRINT_A_FILE)
def test_the_last_line_of_a_file_needs_no_end(
    tmp_path: Path, script: str, arguments: tuple[str, ...], name: str, line: str
) -> None:
    """Some editors leave a file so. Its last line would be lost, or run into what is printed next."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)

    def says() -> set[str]:
        here = (each.replace("HERE", str(tmp_path)) for each in arguments)
        before = ("sizing/interfaces", "storage/disks") if script == "preflight/report" else ()
        # A mark shows where a line ends. What differs from one moment to the next is left out.
        lines = run_script(script, *here, before=before).stdout.replace("\n", "|\n").splitlines()
        return {
            each for each in lines if not each.startswith(("now ", "clock ", "memory ", "disk ", "killed ", "free "))
        }

    nothing = says()
    file.write_text(line.replace("HERE", str(tmp_path)))
    without = says()
    file.write_text(line.replace("HERE", str(tmp_path)) + "\n")
    assert without == says() != nothing


def test_no_script_of_a_fact_can_change_anything() -> None:
    changing = (
        "mv ",
        " rm ",
        "mkdir",
        "chmod",
        "chown",
        "tee ",
        "docker compose",
        "docker rm",
        "systemctl re",
    )
    # What a program in a container is asked for, and what nobody could change with.
    asked_inside = (
        "nginx -t -q",
        "<<'INSIDE'",
        "mail/go_out",
        "psql --no-psqlrc --quiet",
        "redis-cli INFO",
        "/run/secrets/postgres-password",
    )
    scripts = set(scripts_of_facts())
    # What log_in.sh has run inside of a container.
    scripts |= {"mail/as_mastodon", "mail/go_out"}
    assert len(scripts) > 12
    for name in scripts:
        lines = (ROOT / "mstdn" / f"{name}.sh").read_text().splitlines()
        code = [line for line in lines if not line.lstrip().startswith("#")]
        # Compose reads its files, and does nothing with them.
        code = [
            line for line in code if not re.search(r'docker compose( --[a-z-]+ "\$[a-z./]+")+ config --quiet', line)
        ]
        assert [line for line in code for verb in changing if verb in line] == [], name
        inside = [line for line in code if "docker exec" in line]
        assert [line for line in inside if not any(words in line for words in asked_inside)] == [], name
