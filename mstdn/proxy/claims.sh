# "claim NAME PROJECT VARIABLE=VALUE" for each running container that asks the proxy for names of its own.
running=$(docker ps --quiet) || docker_is_silent
[ -n "$running" ] || exit 0
# Of the environment nothing else is read: it holds secrets of others.
# shellcheck disable=SC2086 # one word for each container
docker inspect --format '{{range .Config.Env}}{{$variable := index (split . "=") 0}}{{if or (eq $variable "VIRTUAL_HOST") (eq $variable "VIRTUAL_HOST_MULTIPORTS")}}claim {{$.Name}} {{with index $.Config.Labels "com.docker.compose.project"}}{{.}}{{else}}-{{end}} {{json .}}
{{end}}{{end}}' $running 2>/dev/null
exit 0
