# Starts containerd, by which the daemon reaches its containers, and waits until it does, but not for long: a daemon that has lost
# containerd tries again in pauses of up to 3 s, and until then ends each "docker exec" with 126.
set -eu
systemctl reset-failed containerd.service 2>/dev/null || true
systemctl start containerd.service
# A daemon that does not run is started next, and its socket would start it.
systemctl is-active --quiet docker.service || exit 0
reaches_containers() {
    container=$(docker ps --quiet --filter status=running | head -n 1)
    [ -n "$container" ] || return 0
    code=0
    docker exec "$container" true >/dev/null 2>&1 || code=$?
    [ "$code" -ne 126 ]
}
tries=120
until reaches_containers; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || {
        echo "containerd runs, and Docker does not find it. On the server: journalctl --unit docker --unit containerd" >&2
        exit 1
    }
    sleep 0.5
done
