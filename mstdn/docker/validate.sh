# Has the daemon judge the daemon.json on standard input, with the options of its unit as arguments; nothing is changed.
set -eu
umask 077
new=$(mktemp)
trap 'rm -f "$new"' EXIT
cat >"$new"
if ! verdict=$(dockerd "$@" --validate --config-file "$new" 2>&1); then
    printf '%s\nDocker would not start with this addition to /etc/docker/daemon.json. The file stays as it was.\n' "$verdict" >&2
    exit 1
fi
