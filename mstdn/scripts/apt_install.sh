# Installs exactly these packages. Waits for another apt, such as the unattended upgrade of a server's first minutes.
set -eu
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a
tries=0
until apt-get update -qq; do
    tries=$((tries + 1))
    if [ "$tries" -ge 5 ]; then
        echo "apt-get update fails: see the lines above. Is the network up, and is every source in /etc/apt valid?" >&2
        exit 1
    fi
    sleep 5
done
# An installation that the power cut short has to be finished first; apt refuses otherwise.
if [ -n "$(dpkg --audit)" ]; then
    dpkg --configure -a --force-confdef --force-confold >/dev/null
fi
apt-get install --yes -qq --no-install-recommends --allow-downgrades \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" >/dev/null
