"""Scripts that are killed at a certain call of a program, by a stand-in for that program."""

from __future__ import annotations

import subprocess
from pathlib import Path

# Kills the program that calls it, once, at the call that has these words.
DYING = """#!/bin/sh
here=@HERE@ when=@WHEN@ dying=''
counts() { @COUNTS@; }
case "$*" in
*'@WORDS@'*) [ -e "$here/dead" ] || ! counts || dying=yes ;;
esac
[ -z "$dying" ] || touch "$here/dead"
[ "$dying-$when" != yes-meanwhile ] || echo "$*" >"$here/goes-on"
case $dying-$when in yes-before | yes-meanwhile) kill -s KILL "$PPID"; exit 1 ;; esac
"$here/real/@PROGRAM@" "$@"
code=$?
[ -z "$dying" ] || kill -s KILL "$PPID"
exit "$code"
"""


def dies_at(home: Path, program: str, words: str, when: str, counts: str = "true") -> None:
    """
    Whoever calls `program` with these words is killed "before" or "after" it has done its work. Once only. "meanwhile":
    before, but the work goes on, as in Docker's engine, and is done when it_has_gone_on() is called.

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


def it_has_gone_on(home: Path, program: str) -> None:
    """What `program` was at when its caller was killed is done now, if nobody has waited for it in the meantime."""
    words = home / "goes-on"
    if words.exists():
        subprocess.run([home / "real" / program, *words.read_text().split()], check=True)
        words.unlink(missing_ok=True)
