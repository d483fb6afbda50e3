# What the checkout $1 is now.
[ -d "$1/.git" ] || exit 0
command -v git >/dev/null || exit 0
# Without optional locks it only reads: "status" would otherwise write what it found into the index.
checkout() { git --no-optional-locks -c "safe.directory=$source" -C "$source" "$@" 2>/dev/null; }
source=$1
printf 'tree %s\n' "$({ checkout rev-parse HEAD && checkout diff HEAD; } | sha256sum | cut -d ' ' -f 1)"
exit 0
