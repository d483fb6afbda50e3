# Lets systemd read its files anew and enables and starts the timers that are the arguments.
set -eu
systemctl daemon-reload
[ $# -gt 0 ] || exit 0
systemctl enable --quiet "$@"
# systemd starts nothing more than five times in ten seconds (DefaultStartLimitBurst), which a few runs in a row come to.
systemctl reset-failed "$@" 2>/dev/null || true
# One that is running already is told its new time.
systemctl restart "$@"
