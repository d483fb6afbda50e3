# Goes out as Mastodon does, in the container of web, after as_mastodon.sh: logs in at the mail server without sending anything, and
# visits $1. "mail CODE" and "outside CODE" of curl; "said WORDS" where the mail server says no, or else curl's.
take_settings
# Mastodon visits everybody through it, also by HTTPS (app/lib/request.rb).
[ -z "${http_proxy-}" ] || export https_proxy="$http_proxy"
curl --silent --insecure --output /dev/null --connect-timeout 5 --max-time 10 "$1" &
outside=$!
words=$(curl_as_mastodon '' --connect-timeout 5 --max-time 10 --request NOOP; echo "code $?")
# Not what curl shows of its own side: that would be the password as well.
printf '%s\n' "$words" | tr -d '\r' | sed -n 's/^code /mail /p; s/^< \([45][0-9][0-9][ -].*\)/said \1/p; s/^curl: ([0-9]*) /said /p'
wait "$outside"
echo "outside $?"
