# Takes the rules back that firewall/try put in force, now.
set -eu
systemctl start mstdn-firewall-undo.service
systemctl stop mstdn-firewall-undo.timer
