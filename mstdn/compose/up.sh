# Brings the services that the rest of the arguments names, of the project $1 in $2, up as its files say; each has to become
# healthy within $3 seconds. After compose/health.
set -eu
# shellcheck disable=SC2034 # health.sh uses it
project=$1 directory=$2 patience=$3
shift 3
cd "$directory"
begun=$(date +%s)
bring_up() { docker compose up --detach --no-build --remove-orphans --wait --wait-timeout "$patience" "$@" >.up.log 2>&1; }
# Whether all that Compose has started become healthy after all.
recover() {
    for id in $(containers_of "$@"); do
        case $(state_of "$id") in
        'created '*) ;;
        *) becomes_healthy "$id" $((begun + patience - $(date +%s))) || return 1 ;;
        esac
    done
}

docker compose config --quiet
ended=0
bring_up "$@" || ended=$?
# Compose gives up as soon as one program ends, though Docker starts it again. nginx does so where it meets half of what docker-gen
# writes in the same moment, or wrote when the power failed.
if [ "$ended" != 0 ] && recover "$@"; then
    ended=0
    bring_up "$@" || ended=$?
fi
[ "$ended" = 0 ] || tail -n 1 .up.log >&2
# Services of the operator's own file are started as well, but a fault of theirs is not one of the instance. Not what they depend on:
# Mastodon may have to stay down until its data are there.
for override in compose.override.y*ml docker-compose.override.y*ml; do
    [ -f "$override" ] || continue
    theirs=$({ docker compose --file compose.yaml config --services && docker compose config --services; } | sort | uniq -u)
    # shellcheck disable=SC2086 # one word for each service
    [ -z "$theirs" ] || docker compose up --detach --no-build --no-deps $theirs >.up.log 2>&1 ||
        echo "A service of $directory/$override could not be started: $(tail -n 1 .up.log)" >&2
done
rm -f .up.log
# The containers decide, whatever Compose says: when the time is over between two of its looks, it ends with 0 (2.26 does).
containers=$(containers_of "$@")
[ -n "$containers" ] || exit 1
# shellcheck disable=SC2086 # one word for each container
unwell $containers && exit "$ended"
exit 1
