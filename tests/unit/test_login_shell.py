"""A command passes through a login shell as it is, and comes back without what others print. More shells: e2e."""

from __future__ import annotations

import io
import random
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mstdn import login_shell
from mstdn.login_shell import ENDED, GRANTED, REACHED, Lines, announced, armoured

# What Linux allows one argument of a program to be, in bytes (MAX_ARG_STRLEN).
LONGEST_ARGUMENT = 128 * 1024
SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "fish", "tcsh") if shutil.which(shell)]
QUOTE = "'\"'\"'"


def carried_out(line: str, shell: str = "sh", stdin: str = "") -> tuple[list[str], list[str], int | None]:
    """Our lines of both outputs, and the exit code that came with them, when a login shell gets this line."""
    done = subprocess.run([shell, "-c", line], input=stdin.encode(), capture_output=True, check=False)
    out, err = Lines(io.BytesIO(done.stdout)), Lines(io.BytesIO(done.stderr), stderr=True)
    lines = list(out), list(err)
    assert out.reached and err.reached and out.code == done.returncode
    return *lines, out.code


def granted(command: str) -> str:
    return f"{announced('sh')} -c '{command.replace(chr(39), QUOTE)}'"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("size", [0, login_shell.COMPRESS_FROM])
def test_awkward_text_passes(shell: str, size: int) -> None:
    text = ' it\'s "\\n" !! $HOME `id` \\ ~ * %s # ; \t\n\n ü…'
    command = f"printf %s '{text.replace(chr(39), QUOTE)}'; echo err >&2; exit 3; {'x' * size}"
    out, err, code = carried_out(armoured(granted(command), stdin=False), shell)
    assert (out, err, code) == (text.split("\n"), ["err"], 3)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0\n")).filter(
            lambda line: not line.startswith("mstdn:")
        )
    )
)
def test_every_output_comes_back_to_the_line(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    assert carried_out(armoured(granted("cat"), stdin=True), stdin=f"{login_shell.UNREAD}\n{text}")[0] == lines


def test_no_shell_has_anything_to_misread() -> None:
    line = armoured(granted("echo 'a'\necho \"b\" !! \\ `id` $HOME"), stdin=True, variables=["PASSWORD"])
    head, tail = "/bin/sh -c '", "'"
    assert line.startswith(head) and line.endswith(tail)
    assert not re.search(r"['\\!\n`]", line.removeprefix(head).removesuffix(tail))


@pytest.mark.parametrize(
    "text",
    ["echo it''s $((1 + 1)) # as scripts are\n", "".join(random.Random(1).choices("0123456789abcdef'\\ ", k=9999))],  # noqa: S311,
)
def test_60_kib_of_script_fit_into_one_argument(text: str) -> None:
    command = (text * (60 * 1024 // len(text) + 1))[: 60 * 1024]
    assert len(armoured(granted(command), stdin=True)) < LONGEST_ARGUMENT


def test_the_environment_is_one_in_which_things_are_found_and_refusals_are_in_english() -> None:
    line = armoured(granted("echo $LC_ALL; command -v base64; command -v sh >/dev/null"), stdin=False)
    broken = f"export PATH=/nowhere LC_ALL=xx_YY LANGUAGE=de; {line}"
    out, err, code = carried_out(broken)
    assert out[0] == "C.UTF-8" and out[1].endswith("/base64") and err == [] and code == 0
    out, _, _ = carried_out(f"unset PATH; {armoured(granted('echo $PATH'), stdin=False)}")
    assert "" not in out[0].split(":")  # which would be the current directory


def test_variables_come_from_standard_input_and_the_rest_stays() -> None:
    line = armoured(granted('printf "%s\\n" "$ONE"; cat'), stdin=True, variables=["ONE"])
    out, _, _ = carried_out(line, stdin=f"{login_shell.UNREAD}\n sec\\ret \nrest\n")
    assert out == [" sec\\ret ", "rest"]


def test_standard_input_that_lost_a_line_stops_everything() -> None:
    done = subprocess.run(
        ["sh", "-c", armoured(granted("cat"), stdin=True)], input=b"rest\n", capture_output=True, check=False
    )
    out, err = Lines(io.BytesIO(done.stdout)), Lines(io.BytesIO(done.stderr), stderr=True)
    assert list(out) == [] and list(err) == [] and not out.granted and done.returncode == 1
    assert login_shell.STDIN_WAS_READ in err.between


@pytest.mark.parametrize("command", ["echo a; exit 3", "cat; exit 3"])
def test_what_changes_nothing_waits_for_no_input_and_reads_none(command: str) -> None:
    line = armoured(granted(command), stdin=True, changes=False)
    out, _, code = carried_out(line, stdin=f"{login_shell.UNREAD}\n")
    assert (out, code) == (["a"] if "echo" in command else [], 3)
    with subprocess.Popen(["sh", "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as begun:
        assert begun.stdin and begun.stdout
        printed = begun.stdout.readline() + begun.stdout.readline()
        assert login_shell.REACHED.encode() in printed
        if "echo" in command:
            assert any(begun.stdout.readline() == b"a\n" for _ in range(4))
        begun.stdin.write(f"{login_shell.UNREAD}\n".encode())


def test_standard_input_that_lost_a_line_is_noticed_after_what_changes_nothing() -> None:
    line = armoured(granted("echo a"), stdin=True, changes=False)
    done = subprocess.run(["sh", "-c", line], input=b"rest\n", capture_output=True, check=False)
    err = Lines(io.BytesIO(done.stderr), stderr=True)
    assert login_shell.STDIN_WAS_READ in list(err) and done.returncode == 1


@pytest.mark.parametrize(
    ("output", "lines", "code"),
    [
        pytest.param(["a", ""], ["a"], 0, id="complete last line"),
        pytest.param(["a"], ["a"], 0, id="incomplete last line"),
        pytest.param(["a", "", ""], ["a", ""], 0, id="empty last line"),
        pytest.param([""], [], 0, id="nothing"),
        pytest.param(["", "a", ""], ["", "a"], 2, id="empty first line"),
    ],
)
def test_only_what_lies_between_the_marks_is_ours(output: list[str], lines: list[str], code: int) -> None:
    around = ["Welcome", f"+ echo {REACHED}", REACHED, "lecture", GRANTED, *output, f"{ENDED} {code}", "bye", "bye"]
    read = Lines(f"{line}\n".encode() for line in around)
    assert list(read) == lines
    assert (read.code, list(read.before), list(read.between)) == (code, ["Welcome", f"+ echo {REACHED}"], ["lecture"])


def test_one_output_for_both_as_of_a_terminal_has_no_marks_in_it() -> None:
    line = armoured(granted("echo a; echo b >&2"), stdin=False)
    done = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    read = Lines(io.BytesIO(done.stdout.replace(b"\n", b"\r\n")))
    assert list(read) == ["a\r", "b\r"] and not read.before and not read.between


def test_bytes_that_are_no_text_do_no_harm() -> None:
    read = Lines([b"\xff\xfe caf\xe9\n", f"{REACHED}\n".encode(), f"{GRANTED}\n".encode(), b"caf\xe9\n"])
    assert list(read) == ["caf\ufffd"]


def test_without_marks_nothing_is_ours_and_the_last_words_are_kept() -> None:
    read = Lines(f"{number}\n".encode() for number in range(1000))
    assert list(read) == []
    assert not read.reached and read.before[-1] == "999" and len(read.before) == login_shell.KEPT_LINES


def test_a_command_that_was_killed_keeps_what_it_printed() -> None:
    read = Lines([f"{REACHED}\n".encode(), f"{GRANTED}\n".encode(), b"a\n", b"\n", b"half"])
    assert list(read) == ["a", "", "half"] and read.code is None


def test_a_word_for_the_operator_is_none_of_the_output() -> None:
    told: list[str] = []
    marks = (REACHED, GRANTED)
    output = [*marks, "one", "mstdn:waits It waits.", "two", f"{ENDED} 0"]
    assert list(Lines((f"{line}\n".encode() for line in output), tell=told.append)) == ["one", "two"]
    assert told == ["It waits."]
    # Whoever is not root yet has no word for anybody.
    assert list(Lines([b"mstdn:waits It waits.\n"], tell=told.append)) == [] and len(told) == 1


def test_a_line_is_told_as_soon_as_it_came() -> None:
    came: list[bytes] = []

    def output() -> Iterator[bytes]:
        for line in (f"{REACHED}\n", f"{GRANTED}\n", "1 of 2\n", "\n", "2 of 2\n", "\n", f"{ENDED} 0\n"):
            came.append(line.encode())
            yield line.encode()

    assert [(line, came[-1]) for line in Lines(output())] == [
        ("1 of 2", b"1 of 2\n"),
        ("", b"2 of 2\n"),
        ("2 of 2", b"2 of 2\n"),
    ]
