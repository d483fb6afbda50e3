# Where directories lie. $1: the suite's note, $2: mastodon_root, $3: proxy_root, $4: the site's name, $5: the directory of backups, or
# empty; the rest: directories.
# "noted": the note's lines. "place": DIRECTORY, REAL, MOUNT, with tabs between: without links, and where its file system is
# mounted, and "ro" where nothing can be written there; "astray": it is a link that leads nowhere. "mount MOUNT SOURCE UUID": of all but those of containers and the system.
note=$1 root=$2 proxy=$3 domain=$4 backups=$5
shift 5
[ -f "$note" ] && awk '!/^#/ { print "noted " $0 }' "$note"
# Any of these shows that the volume is mounted. A single one that was lost is mended or refused by the component that needs it.
[ ! -s "$root/state/installed.env" ] && [ ! -s "$root/secrets/instance.env" ] && [ ! -s "$root/database/PG_VERSION" ] || echo instance
if [ -e "$proxy/certs/$domain.crt" ] || [ -n "$(ls -A "$proxy/certs/$domain" 2>/dev/null)" ]; then echo certificate; fi
# All directories at once: a program for each would take longer than their work. First come the directories, then in the same order
# what they really are, and then the mounts. Paths of the suite have no spaces.
{
    printf '%s\n' "$@"
    readlink -m -- "$@"
} | awk -v count=$# '
    NR == FNR && FNR <= count { directory[FNR] = $0; next }
    NR == FNR { real[FNR - count] = $0; next }
    {
        mount = $5 == "/" ? "/" : $5 "/"
        # Of several mounts above it the longest counts. A mount may be read-only, or, as after an error of the disk, the whole file
        # system, whose options come last.
        for (i = 1; i <= count; i++)
            if (index(real[i] "/", mount) == 1 && length(mount) >= length(best[i])) {
                best[i] = mount; name[i] = $5; options[i] = $6 "," $NF ","
            }
    }
    END {
        for (i = 1; i <= count; i++)
            print "place " directory[i] "\t" real[i] "\t" name[i] (options[i] ~ /(^|,)ro,/ ? "\tro" : "")
    }' - /proc/self/mountinfo
for directory; do
    [ -L "$directory" ] && [ ! -d "$directory" ] && printf 'astray %s\n' "$directory"
done
findmnt --noheadings --raw --output TARGET,SOURCE,UUID --types nooverlay,noproc,nosysfs,nodevpts,nocgroup2,nonsfs,nomqueue |
    grep -v -e '^/\(run\|proc\|sys\|dev\|var/lib/docker\|var/lib/containerd\|tmp\)[/ ]' -e '^/ ' | sed 's/^/mount /'
# Whether the backups lie in the instance: by a link or a mount too, so directories are told apart by device and inode. "above ID":
# the backups' directory and those that it lies in; "inside ID DIRECTORY": both roots, and what is in the first of them.
[ -z "$backups" ] || {
    above=$(readlink -m -- "$backups")
    while [ -n "$above" ]; do
        stat --format 'above %d:%i' -- "$above" 2>/dev/null
        above=${above%/*}
    done
    stat --dereference --format 'inside %d:%i %n' -- "$root" "$proxy" "$root"/*/ 2>/dev/null
}
exit 0
