# Removes the file $1, which gave the kernel's setting $2 a value at each boot. The setting gets the value that it has without
# that file: $3, the kernel's own, or what another file says.
set -eu
place=$(printf '%s' "$2" | tr . /)
rm -f -- "$1"
[ ! -e "/proc/sys/$place" ] || echo "$3" >"/proc/sys/$place"
for program in /usr/lib/systemd/systemd-sysctl /lib/systemd/systemd-sysctl; do
    [ ! -x "$program" ] || {
        "$program" --prefix="/$place" 2>/dev/null || true
        break
    }
done
