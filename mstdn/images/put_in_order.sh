# Goes before images/pull and images/build, which are a unit of the server. systemd runs it once more when one has ended
# (SERVICE_RESULT): the engine itself gives up what nobody waits for, and there is nothing to be put in order.
if [ -n "${SERVICE_RESULT-}" ]; then
    [ "${EXIT_CODE-}" != killed ] ||
        echo "This was ended from outside (${EXIT_STATUS-}), as by a reboot or by hand. Nothing was stopped. To go on: pyinfra inventory.py deploy.py"
    exit 0
fi
