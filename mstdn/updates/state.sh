# shellcheck disable=SC2154 # units.sh, which goes before, makes $unit
# Whether the system keeps itself up to date: "installed" if the package $1 is; "periodic VALUE" of what apt's configuration says of
# daily upgrades; "off TIMER" for each of the timers in the rest of the arguments that somebody has disabled or masked. After units.
package=$1
shift
case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in ?i*) echo installed ;; esac
apt-config dump APT::Periodic::Unattended-Upgrade 2>/dev/null | sed -n 's/^APT::Periodic::Unattended-Upgrade "\(.*\)";$/periodic \1/p'
for timer in "$@"; do
    find_unit "$timer" || continue
    case $unit in *UnitFileState=disabled* | *UnitFileState=masked*) printf 'off %s\n' "$timer" ;; esac
done
exit 0
