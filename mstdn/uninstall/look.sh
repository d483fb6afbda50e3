# What there is of the suite's directories and files. $1: proxy_root; the rest: paths. "there PATH" for each that exists; "proxy TYPE
# PATH" for what lies in proxy_root, three levels deep and relative to it.
proxy=$1
shift
for path in "$@"; do
    { [ -e "$path" ] || [ -L "$path" ]; } && printf 'there %s\n' "$path"
done
[ -d "$proxy" ] && find "$proxy/" -mindepth 1 -maxdepth 3 -printf 'proxy %y %P\n'
exit 0
