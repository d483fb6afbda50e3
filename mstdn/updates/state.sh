# Whether the system keeps itself up to date: "installed" if the package $1 is; "periodic VALUE" of what apt's configuration says of
# daily upgrades; "off TIMER" for each of the timers in the rest of the arguments that somebody has disabled or masked.
package=$1
shift
case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in ?i*) echo installed ;; esac
apt-config dump APT::Periodic::Unattended-Upgrade 2>/dev/null | sed -n 's/^APT::Periodic::Unattended-Upgrade "\(.*\)";$/periodic \1/p'
systemctl show --property Id,UnitFileState -- "$@" 2>/dev/null |
    awk -F = '$1 == "Id" { id = $2 } $1 == "UnitFileState" { state = $2 }
        function show() { if (state == "disabled" || state ~ /^masked/) print "off " id; id = state = "" }
        /^$/ { show() } END { show() }'
exit 0
