# Goes before each script that changes something: two runs at once, or one that still works although its connection broke,
# wait for each other. The lock goes with the process that holds it. In /run only root may make files; in /run/lock
# anybody could, and lock us out.
exec 9>>/run/mstdn.lock
if ! flock --timeout 900 9; then
    echo "Another run has been changing this server for 15 minutes. Look for it with: fuser -v /run/mstdn.lock" >&2
    exit 1
fi
# What containers read must not depend on how strict this server's root is; what is secret sets its own.
umask 022
