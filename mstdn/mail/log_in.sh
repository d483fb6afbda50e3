# What Mastodon meets when it goes out: asked in the container of web of the project $1, with its network, its trust and its own
# settings. "mail CODE" of curl after it has logged in at the mail server without sending anything, "said WORDS" of that server
# where it says no; "outside CODE" of a visit to $2. Nothing where web does not run.
list_containers
web=$(running "$1" web)
[ -n "$web" ] || exit 0
docker exec -i "$web" sh -s "$2" <<'INSIDE'
set -a
. /opt/mastodon/.env.production
set +a
# Mastodon visits everybody through it, also by HTTPS (app/lib/request.rb).
[ -z "${http_proxy-}" ] || export https_proxy="$http_proxy"
curl --silent --insecure --output /dev/null --connect-timeout 5 --max-time 10 "$1" &
outside=$!
scheme=smtp
set --
case ${SMTP_TLS-} in true) scheme=smtps ;; esac
case $scheme-${SMTP_ENABLE_STARTTLS-} in smtp-always) set -- --ssl-reqd ;; smtp-auto) set -- --ssl ;; esac
case ${SMTP_OPENSSL_VERIFY_MODE-} in none) set -- "$@" --insecure ;; esac
[ -z "${SMTP_CA_FILE-}" ] || set -- "$@" --cacert "$SMTP_CA_FILE"
# On standard input, because others can read arguments. What curl shows of its own side would be the password as well.
config() {
    [ -n "${SMTP_LOGIN-}" ] || return 0
    escaped=$(printf '%s:%s' "$SMTP_LOGIN" "${SMTP_PASSWORD-}" | sed 's/\\/\\\\/g; s/"/\\"/g')
    printf 'user = "%s"\n' "$escaped"
    case ${SMTP_AUTH_METHOD-} in
    login) echo 'login-options = "AUTH=LOGIN"' ;;
    cram_md5) echo 'login-options = "AUTH=CRAM-MD5"' ;;
    *) echo 'login-options = "AUTH=PLAIN"' ;;
    esac
}
words=$(config | curl --config - "$@" --silent --show-error --verbose --connect-timeout 5 --max-time 10 --request NOOP \
    "$scheme://$SMTP_SERVER:$SMTP_PORT" 2>&1 >/dev/null; echo "code $?")
printf '%s\n' "$words" | tr -d '\r' | sed -n 's/^code /mail /p; s/^< \([45][0-9][0-9][ -].*\)/said \1/p; s/^curl: ([0-9]*) /said /p'
wait "$outside"
echo "outside $?"
INSIDE
exit 0
