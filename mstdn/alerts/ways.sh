# shellcheck disable=SC2154 # who comes after it makes "here"; the rest is told by the settings or by the unit
# The ways by which a message goes, for those who have one. Each takes the text on standard input, $1 as the title and "high" or
# "default" as $2, and prints how it went. No file is written: a disk may be what is full.
ways() {
    [ -z "$ALERT_MAIL_TO" ] || echo mail
    [ ! -s "$ALERT_SECRETS/webhook" ] || echo webhook
}
by_journal() { cat; }
by_webhook() { "$here/alerts-webhook" "$ALERT_SECRETS/webhook" "$1" "$2"; }
# From the server itself, because the container may be what is wrong; but a mail server may be reached from containers only.
by_mail() {
    told=$(cat)
    by_server=$(
        set -a
        # shellcheck source=/dev/null
        . "$MASTODON_ROOT/mastodon.env" 2>/dev/null
        printf '%s\n' "$told" | "$here/alerts-mail" "$ALERT_MAIL_TO" "$1" "$MASTODON_ROOT/secrets/mastodon.env" 2>/dev/null
    ) || true
    if ! went_well mail "$by_server"; then
        by_container=$(printf '%s\n' "$told" | "$here/alerts-inside" "$here/alerts-mail" "$ALERT_MAIL_TO" "$1" 2>/dev/null) || true
        if went_well mail "$by_container"; then
            printf '%s\nby container\n' "$by_container"
            return 0
        fi
    fi
    printf '%s\nby server\n' "$by_server"
}
# Whether the way $1 took the message, by $2, what it printed.
went_well() {
    case $1 in
    mail) printf '%s\n' "$2" | grep -qx 'mail 0' ;;
    webhook) printf '%s\n' "$2" | grep -qx 'webhook 0 2[0-9][0-9]' ;;
    esac
}
