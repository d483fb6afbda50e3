# Where apt reads of the repository whose host is $1: "source PATH MODE BASE64" for each file that names it; "problem" for each
# error of apt in reading its sources, if any of them was changed since $2 (the suite's own file) was written.
host=$1 own=$2
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] && grep -qiF "$host" "$file" &&
        printf 'source %s 0%s %s\n' "$file" "$(stat -L -c %a "$file")" "$(base64 -w 0 "$file")"
done
if [ ! -f "$own" ] || [ -n "$(find /etc/apt/sources.list /etc/apt/sources.list.d -newer "$own" -type f 2>/dev/null)" ]; then
    # It only reads the sources, and fetches nothing.
    LC_ALL=C.UTF-8 apt-get --print-uris -qq update 2>&1 >/dev/null | sed -n 's/^E: /problem /p'
fi
exit 0
