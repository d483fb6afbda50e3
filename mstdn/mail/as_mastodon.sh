# Goes before what talks to the mail server as Mastodon does, in its container or on the server.
# Mastodon's own settings, from the file $1 if they are not where a container has them.
take_settings() {
    set -a
    # shellcheck source=/dev/null
    . "${1:-/opt/mastodon/.env.production}"
    set +a
}
# Runs curl at the mail server, with the scheme, the trust and the log-in of these settings. $1: what the address has after the port;
# the rest: further arguments of curl. Prints what both sides sent, the password included, and curl's own error.
curl_as_mastodon() {
    address=smtp://$SMTP_SERVER:$SMTP_PORT$1
    shift
    case ${SMTP_TLS-}-${SMTP_ENABLE_STARTTLS-} in
    true-*) address=smtps${address#smtp} ;;
    *-always) set -- --ssl-reqd "$@" ;;
    *-auto) set -- --ssl "$@" ;;
    esac
    case ${SMTP_OPENSSL_VERIFY_MODE-} in none) set -- --insecure "$@" ;; esac
    [ -z "${SMTP_CA_FILE-}" ] || set -- --cacert "$SMTP_CA_FILE" "$@"
    # The log-in is on a descriptor of its own, because others can read arguments, and a mail has standard input.
    curl --config /dev/fd/3 --silent --show-error --verbose "$@" "$address" 3<<CONFIG 2>&1 >/dev/null
$(log_in)
CONFIG
}
log_in() {
    [ -n "${SMTP_LOGIN-}" ] || return 0
    escaped=$(printf '%s:%s' "$SMTP_LOGIN" "${SMTP_PASSWORD-}" | sed 's/\\/\\\\/g; s/"/\\"/g')
    printf 'user = "%s"\n' "$escaped"
    case ${SMTP_AUTH_METHOD-} in
    login) echo 'login-options = "AUTH=LOGIN"' ;;
    cram_md5) echo 'login-options = "AUTH=CRAM-MD5"' ;;
    *) echo 'login-options = "AUTH=PLAIN"' ;;
    esac
}
