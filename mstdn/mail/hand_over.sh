# Hands a mail over as Mastodon would: in the container of web, or on the server with the same settings. $1: to whom, $2: the
# subject; what it says is on standard input. $3: where the secrets are, if not where a container has them. "step WORD" for each
# command of SMTP that was begun; "said WORDS" where the mail server says no, or else curl's; "took WORDS" with its last word that
# was a yes; "mail CODE" of curl.
to=$1 subject=$2 text=$(cat)
set -a
# shellcheck source=/dev/null
. "${3:-/opt/mastodon/.env.production}"
set +a
sender=$(printf '%s\n' "${SMTP_FROM_ADDRESS:-notifications@localhost}" | sed 's/.*<\(.*\)>.*/\1/')
from=${SMTP_FROM_ADDRESS:-$sender}
# A name in other letters would have to be encoded; the address is what matters here.
if printf %s "$from" | LC_ALL=C grep -q '[^ -~]'; then from="<$sender>"; fi
scheme=smtp
set --
case ${SMTP_TLS-} in true) scheme=smtps ;; esac
case $scheme-${SMTP_ENABLE_STARTTLS-} in smtp-always) set -- --ssl-reqd ;; smtp-auto) set -- --ssl ;; esac
case ${SMTP_OPENSSL_VERIFY_MODE-} in none) set -- "$@" --insecure ;; esac
[ -z "${SMTP_CA_FILE-}" ] || set -- "$@" --cacert "$SMTP_CA_FILE"
# On a descriptor of its own, because others can read arguments, and the mail has standard input.
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
mail() {
    printf '%s\r\n' "From: $from" "To: <$to>" "Subject: $subject" "Date: $(date -R)" \
        "Message-ID: <mstdn.$(date +%s).$$@${LOCAL_DOMAIN-localhost}>" 'MIME-Version: 1.0' \
        'Content-Type: text/plain; charset=utf-8' 'Auto-Submitted: auto-generated' ''
    printf '%s\n' "$text" | sed 's/$/\r/'
}
words=$(mail | curl --config /dev/fd/3 "$@" --silent --show-error --verbose --connect-timeout 10 --max-time 60 \
    --mail-from "${SMTP_RETURN_PATH:-$sender}" --mail-rcpt "$to" --upload-file - \
    "$scheme://$SMTP_SERVER:$SMTP_PORT/${SMTP_DOMAIN:-${LOCAL_DOMAIN-}}" 3<<CONFIG 2>&1 >/dev/null
$(config)
CONFIG
    echo "code $?")
# Of what curl sent only the names of commands: the log-in is among it.
printf '%s\n' "$words" | tr -d '\r' | sed -n 's/^code /mail /p; s/^> \(EHLO\|HELO\|STARTTLS\|AUTH\|MAIL\|RCPT\|DATA\|QUIT\)\( .*\)\{0,1\}$/step \1/p; s/^< \([45][0-9][0-9][ -].*\)/said \1/p; s/^< \(2[0-9][0-9] .*\)/took \1/p; s/^curl: ([0-9]*) /said /p'
