# Lets systemd read its files anew and enables and starts the timers that are the arguments.
set -eu
systemctl daemon-reload
[ $# -eq 0 ] || systemctl enable --quiet --now "$@"
# One that is running already is told its new time.
[ $# -eq 0 ] || systemctl restart "$@"
