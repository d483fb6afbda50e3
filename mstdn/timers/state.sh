# The units that are the arguments, as systemd knows them: "unit NAME LOADED ENABLED ACTIVE", and "stale" if a file of one is
# newer than what systemd has read.
systemctl show --property=Id,LoadState,UnitFileState,ActiveState,NeedDaemonReload -- "$@" 2>/dev/null |
    awk -F= '
        $1 == "Id" { id = $2 } $1 == "LoadState" { loaded = $2 } $1 == "UnitFileState" { enabled = $2 } $1 == "ActiveState" { active = $2 }
        $1 == "NeedDaemonReload" && $2 == "yes" { print "stale" }
        function show() { if (id) print "unit", id, loaded, (enabled ? enabled : "-"), active; id = enabled = "" }
        /^$/ { show() }
        END { show() }'
exit 0
