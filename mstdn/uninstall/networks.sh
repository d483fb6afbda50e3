# Every network of the engine: "network NAME PROJECT", with the Compose project that made it, or "-".
docker network ls --format 'network {{.Name}} {{with .Label "com.docker.compose.project"}}{{.}}{{else}}-{{end}}' || docker_is_silent
exit 0
