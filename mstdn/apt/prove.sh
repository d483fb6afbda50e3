# Proves that apt can still read all of its sources, after the one at $1 was written to $2. What it fetched for that is not fetched
# again by install.sh, which reads the stamp: when that began, as far as it succeeded.
set -eu
export LC_ALL=C.UTF-8
stamp=/run/mstdn-apt-lists tries=180
until : >"$stamp.new" && said=$(apt-get update -qq 2>&1); do
    tries=$((tries - 1))
    # Another apt holds the lists as long as its own download takes.
    case $said in *lists/lock*) [ "$tries" -eq 0 ] || { sleep 5 && continue; } ;; esac
    printf '%s\n' "$said" >&2
    if printf '%s\n' "$said" | grep '^[EW]: ' | grep -qF -e "${1#*://}" -e "$2"; then
        echo "apt-get update fails because of Docker's packages: is docker_repository right, and does it know this system's release?" >&2
    else
        echo "apt-get update fails, but not because of Docker's packages, whose source was just written: what is named above is" >&2
        echo "somebody else's source, and was broken before. This server gets no updates through it. Repair it, or take it out" >&2
        echo "of /etc/apt, and run again." >&2
    fi
    exit 1
done
mv -fT "$stamp.new" "$stamp"
