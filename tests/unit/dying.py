"""Scripts that are killed at a certain call of a program, by a stand-in for that program."""

from __future__ import annotations

from pathlib import Path

# Kills the program that calls it, once, at the call that has these words.
DYING = """#!/bin/sh
here=@HERE@ when=@WHEN@ dying=''
counts() { @COUNTS@; }
case "$*" in
*'@WORDS@'*) [ -e "$here/dead" ] || ! counts || dying=yes ;;
esac
[ -z "$dying" ] || touch "$here/dead"
[ "$dying-$when" != yes-before ] || { kill -s KILL "$PPID"; exit 1; }
"$here/real/@PROGRAM@" "$@"
code=$?
[ -z "$dying" ] || kill -s KILL "$PPID"
exit "$code"
"""


def dies_at(home: Path, program: str, words: str, when: str, counts: str = "true") -> None:
    """
    Whoever calls `program` with these words is killed "before" or "after" it has done its work. Once only.

    It is put before the one in home/bin, or that of this machine. counts: a command of sh, in which $here is `home`; a
    call where that is false is not meant.
    """
    (home / "real").mkdir()
    place = home / "bin" / program
    if place.exists():
        place.rename(home / "real" / program)
    else:
        (home / "real" / program).symlink_to(f"/bin/{program}")
    text = DYING
    values = {"HERE": str(home), "WHEN": when, "PROGRAM": program, "WORDS": words, "COUNTS": counts}
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    place.write_text(text)
    place.chmod(0o755)
