# Goes before scripts that tell of free space.
# "disk PATH KIB MOUNT [FILES]" for each of the arguments: of the file system where it lies or will lie, the free space, where it is
# mounted, and how many files it can still take, if it counts them. A link may lead to another disk, whose mount may be missing.
disks() {
    paths=$*
    # shellcheck disable=SC2046 # no path of the suite's has a space
    set -- $(readlink -m -- "$@")
    for existing; do
        until [ -d "${existing:-/}" ]; do existing=${existing%/*}; done
        set -- "$@" "${existing:-/}"
        shift
    done
    df -k --output=avail,itotal,iavail,target "$@" | {
        read -r _
        for path in $paths; do
            # A df that does not know these columns is one of another system.
            read -r free counted files mount _ || continue
            case $counted in '' | 0 | *[!0-9]*) files='' ;; esac
            printf 'disk %s %s %s %s\n' "$path" "$free" "$mount" "$files"
        done
    }
}
