# Goes before each question to Docker Engine. Where there is no engine there is nothing to find, as a rule. One that does not run cannot
# be asked, and asking its socket would start it (docker.socket). One that hangs is not waited for. What found.sh has found for
# all questions of a batch is not asked again. After describe.sh.
command -v docker >/dev/null || {
    # Where its packages were removed its containers may still be there: they start with the engine that is installed again.
    [ -z "$(ls -A /var/lib/docker/containers 2>/dev/null)" ] || echo 'unknown Docker is not installed, and its containers are still there'
    exit 0
}
docker_is_silent() { echo 'unknown Docker does not answer' && exit 0; }
case ${engine=$(systemctl show --property LoadState,ActiveState --value docker.service 2>/dev/null | tr '\n' ' ')} in
*not-found*) [ -S /run/docker.sock ] || exit 0 ;;
*' active '* | 'active '*) ;;
silent) docker_is_silent ;;
*' activating '* | 'activating '*) echo 'unknown Docker has not started yet' && exit 0 ;;
*) echo 'unknown Docker does not run' && exit 0 ;;
esac
# Makes sure that $containers is known: see describe.sh. Not in a subshell, which it could not end.
list_containers() { [ -n "${containers+found}" ] || containers=$(list) || docker_is_silent; }
# Makes sure that $described is known.
describe_containers() {
    [ -z "${described+found}" ] || return 0
    tries=3
    while :; do
        list_containers
        described=''
        [ -n "$containers" ] || return 0
        described=$(describe) && return 0
        # One of them may have been removed between the two questions.
        unset containers
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || docker_is_silent
    done
}
# The IDs, of those, of the running containers of the service $2 of the project $1.
running() {
    while IFS='|' read -r id rest; do
        case $rest in "running|$1|$2|False") printf '%s\n' "$id" ;; esac
    done <<END
$containers
END
}
# "network NAME BRIDGE SUBNET…" of each of the networks that are the arguments.
bridges() {
    docker network inspect --format 'network {{.Name}} {{with index .Options "com.docker.network.bridge.name"}}{{.}}{{else}}br-{{printf "%.12s" .Id}}{{end}}{{range .IPAM.Config}} {{.Subnet}}{{end}}' "$@" 2>/dev/null | grep '^network '
}
