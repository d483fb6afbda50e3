# Posts standard input to the address that the file $1 holds, as ntfy takes it. $2: its title, $3: "high" or "default". "webhook CODE
# STATUS" of curl and HTTP; "answered WORDS" of whoever answered, or else of curl. The address may hold a token: curl reads it on a
# descriptor of its own, because others can read arguments.
quoted() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g'; }
text=$(cat)
words=$(printf '%s\n' "$text" | curl --config /dev/fd/3 --silent --show-error --connect-timeout 10 --max-time 30 --data-binary @- \
    --write-out '\nmstdn status %{http_code}\n' 3<<CONFIG 2>&1
url = "$(quoted "$(cat "$1")")"
header = "Content-Type: text/plain; charset=utf-8"
header = "Title: $(quoted "$2")"
header = "Priority: $3"
CONFIG
    echo "mstdn code $?")
status=$(printf '%s\n' "$words" | sed -n 's/^mstdn status //p')
code=$(printf '%s\n' "$words" | sed -n 's/^mstdn code //p')
printf 'webhook %s %s\n' "$code" "${status:-000}"
printf '%s\n' "$words" | grep -v '^mstdn ' | sed 's/^curl: ([0-9]*) //' | tr -d '\r' | grep -m 1 . | cut -c 1-200 | sed 's/^/answered /'
exit 0
