# Makes the daemon run with the present daemon.json. A restart under running containers needs live-restore in force. The arguments
# are the options of its unit, as far as they are known.
set -eu
dockerd "$@" --validate --config-file /etc/docker/daemon.json >/dev/null
systemctl enable --quiet docker.service
if systemctl is-active --quiet docker.service; then
    # SIGHUP is enough for live-restore itself, which then makes the restart harmless. The reload is done when the signal is sent, and
    # the daemon takes its time to read its configuration.
    systemctl reload docker.service
    tries=100
    while [ -n "$(docker ps --quiet)" ] && [ "$(docker info --format '{{.LiveRestoreEnabled}}')" != true ]; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || {
            echo "Docker has to restart to read its configuration, but live-restore is off and containers run: they would" >&2
            echo "stop. Choose a quiet moment, type 'systemctl restart docker' on the server, and run again." >&2
            exit 1
        }
        sleep 0.1
    done
    # Seconds count: a daemon that started in the second of the change cannot be told from an older one.
    while [ "$(date +%s)" -le "$(stat -c %Y /etc/docker/daemon.json)" ]; do sleep 0.2; done
fi
# Docker's unit allows three starts a minute: it would be stopped, and then refused.
systemctl reset-failed docker.service 2>/dev/null || true
systemctl restart docker.service
# It follows each start of the engine anyway; what comes next in a run should find its work done.
systemctl start mstdn-socket.service 2>/dev/null || true
