# shellcheck disable=SC2154 # watch.sh, which goes before, makes them
# Waits for the end of the unit $1, if it is at work, and tells what it says. Whether it failed is nobody's failure here: this run looks
# anew what is to be done. After watch.sh.
if is_at_work; then
    echo "$(systemctl show --property Description --value "$unit") is at work: waiting for its end. On the server: journalctl --follow --unit $unit"
    by=$(sed -n 2p /run/mstdn.run 2>/dev/null || true)
    [ -z "$by" ] || echo "It was begun by $by."
    begin_in_the_middle
    wait_for_its_end
fi
[ "$(state)" != failed ] || {
    echo "It failed; the lines above say why. This run looks anew what is to be done."
    systemctl reset-failed "$unit"
}
