# Installs exactly these packages. Waits for another apt, such as the unattended upgrade of a server's first minutes.
set -eu
# "l": needrestart only lists what runs with old libraries; which services may be interrupted is not ours to say.
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l LC_ALL=C.UTF-8
patience=900 stamp=/run/mstdn-apt-lists
fetch_lists() {
    : >"$stamp.new"
    tries=0
    until said=$(apt-get update -qq 2>&1); do
        tries=$((tries + 1))
        # Another apt holds the lists as long as its own download takes, and apt's own patience is for packages only.
        case $said in
            *lists/lock*) enough=$((patience / 5)) reason="Another apt has been at work all the time." ;;
            *) enough=5 reason="Is the network up, and is every source in /etc/apt valid?" ;;
        esac
        if [ "$tries" -ge "$enough" ]; then
            printf '%s\napt-get update fails: see the lines above. %s\n' "$said" "$reason" >&2
            exit 1
        fi
        sleep 5
    done
    mv -fT "$stamp.new" "$stamp"
}
install_them() {
    apt-get install --yes -qq --no-install-recommends --allow-downgrades \
        -o DPkg::Lock::Timeout="$patience" -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" >/dev/null
}
# What was fetched ten minutes ago, as by an earlier step of the same run, will do, unless a source came or changed since.
recent=$(find "$stamp" -mmin -10 2>/dev/null || true)
[ -z "$recent" ] || [ -z "$(find /etc/apt -newer "$stamp" -print -quit)" ] || recent=''
[ -n "$recent" ] || fetch_lists
# Does nothing but wait: in the middle of another apt's work packages look as if the power had been cut.
apt-get check -qq -o DPkg::Lock::Timeout="$patience" >/dev/null 2>&1 || true
# An installation that the power did cut short has to be finished first; apt refuses otherwise.
if [ -n "$(dpkg --audit)" ]; then
    dpkg --configure -a --force-confdef --force-confold >/dev/null
fi
# A mirror may have moved on since.
if [ -n "$recent" ] && install_them "$@" 2>/dev/null; then exit 0; fi
[ -z "$recent" ] || fetch_lists
install_them "$@"
