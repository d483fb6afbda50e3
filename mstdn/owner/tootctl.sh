# Runs "tootctl accounts" with the arguments after $1, in the container of web of the project $1. A password that it makes is
# printed as "sealed NUMBER …": each byte of it plus one of the secret numbers on standard input, modulo 256, so that nothing
# that keeps what this command prints keeps a password. It is no argument of any program. In web and not in a container of its
# own, because Docker would write that one's output to a log.
set -eu
pad=$(cat) project=$1
shift
web=$(container_of "$project" web)
if [ -z "$web" ]; then
    echo "Mastodon does not run. Start it: pyinfra inventory.py deploy.py" >&2
    exit 1
fi
ended=0
printed=$(docker exec "$web" bin/tootctl accounts "$@" </dev/null 2>&1) || ended=$?
printed=$(printf '%s\n' "$printed" | tr -d '\r')
password=$(printf '%s\n' "$printed" | sed -n 's/^New password: *//p' | tail -n 1)
if [ "$ended" -ne 0 ] || ! printf '%s\n' "$printed" | grep -qx OK; then
    [ "$ended" -ne 137 ] || echo "tootctl was killed (exit code 137)." >&2
    printf '%s\n' "$printed" | grep -v -e '^New password' -e '^/[^ ]*:[0-9]*:in ' -e '^[[:space:]]*from /' | head -n 20 >&2
    exit 1
fi
[ -n "$password" ] || exit 0
{
    printf '%s\n' "$pad" | head -n 1
    printf %s "$password" | od -An -v -tu1 | tr -s '\n ' '  '
    echo
} | awk 'NR == 1 { room = split($0, pad) }
    NR == 2 { count = split($0, bytes); if (count > room) exit 1
              printf "sealed"; for (i = 1; i <= count; i++) printf " %d", (bytes[i] + pad[i]) % 256; print "" }'
