# Looks at the server once and tells what is new, after lock.sh and ways.sh. With "test" as $1 it looks at nothing, sends one message
# by each channel and prints how that went: "channel NAME", then what mail/hand_over.sh or webhook.sh prints, and "by server|container".
set -eu
umask 077
export LC_ALL=C
notes=/var/lib/mstdn spare=/run/mstdn-alerts-known here=${0%/*}
# shellcheck source=/dev/null
. /usr/local/lib/mstdn/settings
work=$(mktemp -d /run/mstdn-alerts.XXXXXX)
trap 'rm -rf "$work"' EXIT
channels="journal $(ways | tr '\n' ' ')"

if [ "${1-}" = test ]; then
    printf '%s\n' "This is a test of the alerts of $LOCAL_DOMAIN. Nothing is wrong." >"$work/text"
    for channel in ${channels#journal}; do
        echo "channel $channel"
        "by_$channel" "$LOCAL_DOMAIN: a test of its alerts" default <"$work/text"
    done
    exit 0
fi

# A run rolls containers, and says itself what is wrong. Backup, drill and chores hold the lock as well, and touch no container.
somebody_changes_it() {
    ! another_run_works || return 0
    ! flock --nonblock /run/mstdn.lock true 2>/dev/null || return 1
    ! systemctl show --property ActiveState --value mstdn-backup.service mstdn-drill.service mstdn-chores.service |
        grep -qx 'active\|activating'
}
[ -s "$MASTODON_ROOT/state/installed.env" ] || exit 0
! somebody_changes_it || exit 0

part() {
    name=$1
    shift
    timeout 60 "$@" 2>/dev/null && echo "looked $name" || true
}
{
    # shellcheck disable=SC2086 # words
    part machine "$here/alerts-machine" "$notes" "$MASTODON_ROOT/state/suite" $ALERT_DIRECTORIES
    part containers "$here/alerts-containers"
    part parts "$here/alerts-parts" mstdn
    # shellcheck disable=SC2086 # words
    part networks "$here/alerts-networks" $ALERT_NETWORKS
    # shellcheck disable=SC2086 # words
    part certificates "$here/alerts-certificates" $ALERT_NAMES
    sed -n 's/^MASTODON_VERSION=/release /p' "$MASTODON_ROOT/state/installed.env"
} >"$work/seen"
# One that has begun in the meantime may have been what was seen.
! somebody_changes_it || exit 0
"$here/alerts-judge" <"$work/seen" >"$work/wrong"
cat "$spare" >"$work/before" 2>/dev/null || cat "$notes/alerts" >"$work/before" 2>/dev/null || true
"$here/alerts-remember" "$work/before" "$work/wrong" "$(date +%s)" "$channels" >"$work/known"

# Written only where it differs: a round in which nothing happens leaves no trace on the disk. A full disk has to be told too, so
# what cannot be written there is kept in memory.
keep() {
    [ -e "$spare" ] || ! cmp -s "$work/known" "$work/before" || return 0
    cp "$work/known" "$work/before"
    if [ ! -s "$work/known" ]; then
        rm -f "$notes/alerts" "$spare"
    elif cp "$work/known" "$notes/.alerts.new" 2>/dev/null && mv -fT "$notes/.alerts.new" "$notes/alerts" 2>/dev/null; then
        rm -f "$spare"
    else
        rm -f "$notes/.alerts.new"
        cp "$work/known" "$spare"
    fi
}
# Before anything is sent: a reboot in between repeats a message at most, and loses none.
keep
for channel in $channels; do
    sed -n "s/^pending $channel //p" "$work/known" | tail -n 50 >"$work/news"
    [ -s "$work/news" ] || continue
    wrong=$(grep -c '^WRONG' "$work/news" || true) mended=$(grep -c '^MENDED' "$work/news" || true)
    urgency=high
    case "$wrong $mended" in
    *' 0') title="$LOCAL_DOMAIN: $wrong wrong" ;;
    '0 '*) title="$LOCAL_DOMAIN: $mended mended" urgency=default ;;
    *) title="$LOCAL_DOMAIN: $wrong wrong, $mended mended" ;;
    esac
    {
        cat "$work/news"
        [ "$channel" = journal ] || printf '\n%s\n' 'All of it, with remedies: pyinfra inventory.py tasks/status.py'
    } >"$work/text"
    "by_$channel" "$title" "$urgency" <"$work/text" >"$work/said" 2>&1 || true
    if [ "$channel" = journal ] || went_well "$channel" "$(cat "$work/said")"; then
        [ "$channel" != journal ] || cat "$work/said"
        sed -i "/^pending $channel /d; /^failed $channel /d" "$work/known"
    else
        why=$(sed -n 's/^said //p; s/^answered //p' "$work/said" | head -n 1 | cut -c 1-200)
        since=$(sed -n "s/^failed $channel \([0-9]*\) .*/\1/p" "$work/known")
        sed -i "/^failed $channel /d" "$work/known"
        echo "failed $channel ${since:-$(date +%s)} ${why:-$(tail -n 1 "$work/said")}" >>"$work/known"
        echo "The message could not be sent by $channel, and is tried again in the next round: $why" >&2
    fi
    keep
done
