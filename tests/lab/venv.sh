#!/bin/sh
# Make a virtual environment from a hash-pinned lock file.
#
#   venv.sh LOCK DIRECTORY
#
# DIRECTORY/.complete is written last and holds a copy of the lock: an interrupted run is done again, a changed lock
# is noticed, and an environment that agrees is left alone.
set -eu

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

install_venv_module() {
    # Debian and Ubuntu split ensurepip off into pythonX.Y-venv.
    package="python$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    [ "$(id -u)" = 0 ] || fail "python3 cannot make virtual environments here. Type: sudo apt-get install $package"
    command -v apt-get >/dev/null || fail "python3 cannot make virtual environments here. Install its venv module."
    echo "Installing $package."
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$package" >/dev/null
}

[ $# = 2 ] || fail "Usage: $0 LOCK DIRECTORY"
lock=$1
# With a slash at its end, a link would be what it leads to.
directory=${2%/}

if cmp -s "$lock" "$directory/.complete"; then
    touch "$directory/.complete" # make compares times
    exit 0
fi

command -v python3 >/dev/null || fail "python3 is missing. Type: sudo apt-get install python3"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "python3 is $(python3 -c 'import platform; print(platform.python_version())'); 3.10 or newer is needed."
python3 -c 'import ensurepip, venv' 2>/dev/null || install_venv_module

echo "Making $directory from $lock."
# Only the link goes: what it leads to may be the environment of another checkout.
if [ -L "$directory" ]; then rm "$directory"; else rm -rf "$directory"; fi
python3 -m venv "$directory"
"$directory/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$lock"
cp "$lock" "$directory/.complete"
