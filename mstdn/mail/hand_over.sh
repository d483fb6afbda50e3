# Hands a mail over as Mastodon would, after as_mastodon.sh: in the container of web, or on the server with the same settings. $1: to
# whom, $2: the subject; the text is on standard input. $3: where the settings are, if not where a container has them. "step WORD" for
# each command of SMTP that was begun; "said WORDS" where the mail server says no, or else curl's; "took WORDS" where it says yes, the
# last of which is its answer to the mail; "mail CODE" of curl.
to=$1 subject=$2 text=$(cat)
take_settings "${3-}"
sender=$(printf '%s\n' "${SMTP_FROM_ADDRESS:-notifications@localhost}" | sed 's/.*<\(.*\)>.*/\1/')
from=${SMTP_FROM_ADDRESS:-$sender}
# A name in other letters would have to be encoded; the address is what matters here.
if printf %s "$from" | LC_ALL=C grep -q '[^ -~]'; then from="<$sender>"; fi
mail() {
    printf '%s\r\n' "From: $from" "To: <$to>" "Subject: $subject" "Date: $(date -R)" \
        "Message-ID: <mstdn.$(date +%s).$$@${LOCAL_DOMAIN-localhost}>" 'MIME-Version: 1.0' \
        'Content-Type: text/plain; charset=utf-8' 'Auto-Submitted: auto-generated' ''
    printf '%s\n' "$text" | sed 's/$/\r/'
}
words=$(mail | curl_as_mastodon "/${SMTP_DOMAIN:-${LOCAL_DOMAIN-}}" --connect-timeout 10 --max-time 60 \
    --mail-from "${SMTP_RETURN_PATH:-$sender}" --mail-rcpt "$to" --upload-file -; echo "code $?")
# Of what curl sent only the names of commands: the log-in is among it.
printf '%s\n' "$words" | tr -d '\r' | sed -n 's/^code /mail /p; s/^> \(EHLO\|HELO\|STARTTLS\|AUTH\|MAIL\|RCPT\|DATA\|QUIT\)\( .*\)\{0,1\}$/step \1/p; s/^< \([45][0-9][0-9][ -].*\)/said \1/p; s/^< \(2[0-9][0-9] .*\)/took \1/p; s/^curl: ([0-9]*) /said /p'
