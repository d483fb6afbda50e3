# Makes $1 an active swap file of $2 MiB. The new file is complete before the old one is given up.
set -eu
path=$1 size=$2 new=$1.new
mkdir -p "${path%/*}/"
rm -f "$new"
umask 077
: >"$new"
# A swap file on btrfs must not be copy-on-write; elsewhere the attribute does not exist and is not needed.
chattr +C "$new" 2>/dev/null || true
# dd and not fallocate: swapon refuses a file with holes (swapon(8), "Files with holes").
if ! dd if=/dev/zero of="$new" bs=1M count="$size" conv=fsync 2>"$new.log"; then
    cat "$new.log" >&2
    rm -f "$new" "$new.log"
    echo "The swap file of $size MiB does not fit: free some disk or set a smaller swap_size_mib." >&2
    exit 1
fi
rm -f "$new.log"
mkswap "$new" >/dev/null
if awk -v path="$path" '$1 == path { found = 1 } END { exit !found }' /proc/swaps; then
    swapoff "$path"
fi
mv -fT "$new" "$path"
if ! swapon "$path"; then
    echo "This server's kernel does not take the swap file; on a VPS that is a container itself none can be made." >&2
    case $(stat -f -c %T -- "$path") in
    btrfs)
        echo "btrfs takes one only where its data lie on one disk and once (btrfs filesystem df), and in no directory of which" >&2
        echo "snapshots are made: otherwise set swap_path to a place on another file system." >&2
        ;;
    esac
    echo "If its memory is enough without, set swap_size_mib = 0." >&2
    rm -f "$path"
    exit 1
fi
