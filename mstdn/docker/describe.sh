# shellcheck disable=SC2154 # found.sh or engine.sh makes $containers
# Goes before what asks Docker Engine of its containers. Nothing here is asked yet.
# Go collects garbage from 4 MB on, times GOGC/100. To a command of milliseconds that is a quarter of its work.
docker() { GOGC=400 timeout 60 docker "$@"; }
# "ID|STATE|PROJECT|SERVICE|ONE-OFF" of each container, running or not.
list() { docker ps --all --no-trunc --format '{{.ID}}|{{.State}}|{{.Label "com.docker.compose.project"}}|{{.Label "com.docker.compose.service"}}|{{.Label "com.docker.compose.oneoff"}}'; }
# "ID PROCESS STARTED PUBLISHED JSON" of each of those in $containers; PUBLISHED are its ports that somebody can reach, "443/tcp,"
# with a comma after each, and a point. It fails where one was removed since they were listed.
# What Docker leaves out where it is empty is asked for with index. Health without its log, labels without those of others:
# the rest would be most of what travels. Of the environment only what asks the proxy for names: it holds secrets of others.
describe() {
    set --
    while IFS='|' read -r id _; do set -- "$@" "$id"; done <<END
$containers
END
    docker inspect --format '{{.Id}} {{.State.Pid}} {{.State.StartedAt}} {{range $port, $bindings := .NetworkSettings.Ports}}{{if $bindings}}{{$port}},{{end}}{{end}}. {"id":{{json .Id}},"name":{{json .Name}},"image":{{json .Image}},"reference":{{json .Config.Image}},"project":{{json (index .Config.Labels "com.docker.compose.project")}},"service":{{json (index .Config.Labels "com.docker.compose.service")}},"directory":{{json (index .Config.Labels "com.docker.compose.project.working_dir")}},"once":{{json (index .Config.Labels "com.docker.compose.oneoff")}},"hash":{{json (index .Config.Labels "com.docker.compose.config-hash")}},"status":{{json .State.Status}},"health":{{with index .State "Health"}}{{json .Status}}{{else}}"none"{{end}},"user":{{json .Config.User}},"command":{{json .Config.Cmd}},"entrypoint":{{json .Config.Entrypoint}},"networks":{ {{- $first := true}}{{range $name, $network := .NetworkSettings.Networks}}{{if not $first}},{{end}}{{$first = false}}{{json $name}}:{{json $network.NetworkID}}{{end -}} },"aliases":{ {{- $first := true}}{{range $name, $network := .NetworkSettings.Networks}}{{if not $first}},{{end}}{{$first = false}}{{json $name}}:{{json $network.Aliases}}{{end -}} },"asks":[{{range .Config.Env}}{{$variable := index (split . "=") 0}}{{if or (eq $variable "VIRTUAL_HOST") (eq $variable "VIRTUAL_HOST_MULTIPORTS")}}{{json .}},{{end}}{{end}}null],"published":{{json .NetworkSettings.Ports}},"bindings":{{json .HostConfig.PortBindings}},"binds":{{json .HostConfig.Binds}},"mounts":{{json (index .HostConfig "Mounts")}},"tmpfs":{{json (index .HostConfig "Tmpfs")}},"restart":{{json .HostConfig.RestartPolicy}},"network_mode":{{json .HostConfig.NetworkMode}},"limits":[{{json .HostConfig.Memory}},{{json .HostConfig.MemoryReservation}},{{json .HostConfig.MemorySwap}},{{json .HostConfig.NanoCpus}},{{json .HostConfig.CpuShares}},{{json .HostConfig.CpuPeriod}},{{json .HostConfig.CpuQuota}},{{json .HostConfig.CpusetCpus}},{{json .HostConfig.CpusetMems}},{{json .HostConfig.PidsLimit}},{{json .HostConfig.BlkioWeight}}],"rights":[{{json .HostConfig.Privileged}},{{json .HostConfig.ReadonlyRootfs}},{{json .HostConfig.CapAdd}},{{json .HostConfig.CapDrop}},{{json .HostConfig.SecurityOpt}}]}' "$@"
}
