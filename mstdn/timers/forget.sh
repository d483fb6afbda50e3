# The failure of the unit $1 is a matter of the past.
systemctl reset-failed "$1"
