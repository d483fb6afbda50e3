# All containers of the engine, running or not: "container JSON" for each; then "gone ID PATH" for each path in a running
# container whose file or socket on the server was removed or replaced after the container had started.
# What Docker leaves out where it is empty is asked for with index. Health without its log, labels without those of others:
# the rest would be most of what travels. Of the environment only what asks the proxy for names: it holds secrets of others.
describe() {
    docker inspect --format 'container {"id":{{json .Id}},"name":{{json .Name}},"image":{{json .Image}},"reference":{{json .Config.Image}},"project":{{json (index .Config.Labels "com.docker.compose.project")}},"service":{{json (index .Config.Labels "com.docker.compose.service")}},"directory":{{json (index .Config.Labels "com.docker.compose.project.working_dir")}},"once":{{json (index .Config.Labels "com.docker.compose.oneoff")}},"hash":{{json (index .Config.Labels "com.docker.compose.config-hash")}},"status":{{json .State.Status}},"health":{{with index .State "Health"}}{{json .Status}}{{else}}"none"{{end}},"pid":{{json .State.Pid}},"user":{{json .Config.User}},"command":{{json .Config.Cmd}},"entrypoint":{{json .Config.Entrypoint}},"networks":{ {{- $first := true}}{{range $name, $network := .NetworkSettings.Networks}}{{if not $first}},{{end}}{{$first = false}}{{json $name}}:{{json $network.NetworkID}}{{end -}} },"aliases":{ {{- $first := true}}{{range $name, $network := .NetworkSettings.Networks}}{{if not $first}},{{end}}{{$first = false}}{{json $name}}:{{json $network.Aliases}}{{end -}} },"asks":[{{range .Config.Env}}{{$variable := index (split . "=") 0}}{{if or (eq $variable "VIRTUAL_HOST") (eq $variable "VIRTUAL_HOST_MULTIPORTS")}}{{json .}},{{end}}{{end}}null],"published":{{json .NetworkSettings.Ports}},"bindings":{{json .HostConfig.PortBindings}},"binds":{{json .HostConfig.Binds}},"mounts":{{json (index .HostConfig "Mounts")}},"tmpfs":{{json (index .HostConfig "Tmpfs")}},"restart":{{json .HostConfig.RestartPolicy}},"network_mode":{{json .HostConfig.NetworkMode}},"limits":[{{json .HostConfig.Memory}},{{json .HostConfig.MemoryReservation}},{{json .HostConfig.MemorySwap}},{{json .HostConfig.NanoCpus}},{{json .HostConfig.CpuShares}},{{json .HostConfig.CpuPeriod}},{{json .HostConfig.CpuQuota}},{{json .HostConfig.CpusetCpus}},{{json .HostConfig.CpusetMems}},{{json .HostConfig.PidsLimit}},{{json .HostConfig.BlkioWeight}}],"rights":[{{json .HostConfig.Privileged}},{{json .HostConfig.ReadonlyRootfs}},{{json .HostConfig.CapAdd}},{{json .HostConfig.CapDrop}},{{json .HostConfig.SecurityOpt}}]}' "$@"
}
tries=3
while :; do
    list_containers
    [ -n "$containers" ] || exit 0
    # shellcheck disable=SC2046 # one word for each container
    found=$(describe $(printf '%s\n' "$containers" | cut -d '|' -f 1)) && break
    # One of them may have been removed between the two questions.
    unset containers
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || docker_is_silent
done
printf '%s\n' "$found"
# The kernel says of a bind mount whose source was removed that it is "deleted", whoever has put something else there since.
processes=$(printf '%s\n' "$found" | sed -n 's/.*"id":"\([0-9a-f]*\)".*"pid":\([1-9][0-9]*\).*/\1 \2/p')
# shellcheck disable=SC2046 # one word for each process
if grep -qs '//deleted ' $(printf '%s\n' "$processes" | sed -n 's|.* \(.*\)|/proc/\1/mountinfo|p') /dev/null; then
    printf '%s\n' "$processes" | while read -r id pid; do
        awk -v id="$id" '$4 ~ /\/\/deleted$/ { print "gone " id " " $5 }' "/proc/$pid/mountinfo" 2>/dev/null
    done
fi
exit 0
