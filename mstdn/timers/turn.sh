# Goes before programs that a server runs by itself and that may take hours, before the lock of the server. One of them works at a time,
# for memory is short, and they share what they work on. A backup gives the server's lock back while it only sends.
exec 6>>/run/mstdn-turn.lock
flock --nonblock 6 || {
    echo "A backup, a drill, a restore or a chore is at work, and comes to its end first. On the server: systemctl list-units --state=activating 'mstdn-*'"
    flock 6
}
