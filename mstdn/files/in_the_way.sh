# "blocked PATH" for each argument in whose place there is something, and no file (a link to one is one); an argument that ends in "/"
# stands for all that lies in that directory. Before "--" are the files that containers mount: Docker makes an empty directory where
# such a one is missing, in which there is nothing to lose.
is_empty() {
    [ -d "$1" ] && [ ! -L "$1" ] || return 1
    for entry in "$1"/* "$1"/.[!.]*; do { [ -e "$entry" ] || [ -L "$entry" ]; } && return 1; done
    return 0
}
mounted=yes
for path; do
    case $path in
    --) mounted='' && continue ;;
    */) set -- "$path"* ;;
    *) set -- "$path" ;;
    esac
    for each; do
        [ -e "$each" ] && [ ! -f "$each" ] || continue
        [ -n "$mounted" ] && is_empty "$each" || printf 'blocked %s\n' "$each"
    done
done
exit 0
