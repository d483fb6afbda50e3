# Runs tootctl with the arguments, after lock.sh, at the lowest priority. In a container of its own, because the memory limit of web's
# container fits web only.
set -eu
# shellcheck source=/dev/null
. /usr/local/lib/mstdn/settings
cd "$MASTODON_ROOT"
echo "tootctl $*"
# shellcheck disable=SC2016 # that is for the shell in the container
behind='ionice -c 3 -p $$ 2>/dev/null; exec nice -n 19 bin/tootctl "$@"'
# It may print a line for each of a million files: only its end is kept, here and in the journal.
told=$({
    ended=0
    docker compose --progress quiet run --rm --no-deps -T --quiet-pull migrate sh -c "$behind" tootctl "$@" 2>&1 9>&- || ended=$?
    printf '\nended %s\n' "$ended"
} | tr '\r' '\n' | grep -v -e '^Found and removed orphan' -e '^$' | tail -n 6)
ended=$(printf '%s\n' "$told" | sed -n 's/^ended //p')
printf '%s\n' "$told" | sed '/^ended /d'
[ "$ended" != 137 ] || echo "It was killed (exit code 137): as a rule memory and swap are full." >&2
exit "$ended"
