# Goes before the program of the unit of deployments, which systemd runs once more, with the same arguments, when it has ended in
# whatever way (SERVICE_RESULT). "if has_ended WHAT COMMAND" is true then; of what was ended from outside it says so, WHAT that means,
# and that the run of COMMAND goes on with it.
has_ended() {
    [ -n "${SERVICE_RESULT-}" ] || return 1
    [ "${EXIT_CODE-}" != killed ] ||
        echo "This was ended from outside (${EXIT_STATUS-}), as by a reboot or by hand. $1 To go on: pyinfra inventory.py $2"
}
