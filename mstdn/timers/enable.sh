# Lets systemd read its files anew, enables the units that are the arguments, and starts those of them that are timers.
set -eu
systemctl daemon-reload
[ $# -gt 0 ] || exit 0
systemctl enable --quiet "$@"
# systemd starts nothing more than five times in ten seconds (DefaultStartLimitBurst), which a few runs in a row come to.
systemctl reset-failed "$@" 2>/dev/null || true
for unit; do
    case $unit in
    # One that is running already is told its new time.
    *.timer) systemctl restart "$unit" ;;
    esac
done
