# For each argument that is an image of the server: "id REFERENCE ID", "digest REFERENCE DIGEST" for each name that
# registries know it by, "built REFERENCE SOURCE" for one that was built here, and "version REFERENCE NAME=VALUE" for each
# variable by which the images of PostgreSQL and Redis, and those made from them, say what is in them.
describe() {
    docker image inspect --format '{{.Id}} {{with index .Config.Labels "org.mstdn.source"}}{{.}}{{else}}-{{end}}{{range .RepoDigests}} {{.}}{{end}}{{range .Config.Env}}{{$name := index (split . "=") 0}}{{if or (eq $name "PG_MAJOR") (eq $name "REDIS_VERSION")}} {{.}}{{end}}{{end}}' "$@" 2>/dev/null
}
show() {
    reference=$1
    printf 'id %s %s\n' "$reference" "$2"
    [ "$3" = - ] || printf 'built %s %s\n' "$reference" "$3"
    shift 3
    for each in "$@"; do
        case $each in
        PG_MAJOR=* | REDIS_VERSION=*) printf 'version %s %s\n' "$reference" "$each" ;;
        *@*) printf 'digest %s %s\n' "$reference" "$each" ;;
        esac
    done
}
# One question when all are there, which is the rule; Docker leaves out what it does not have, so then one for each.
if all=$(describe "$@"); then
    printf '%s\n' "$all" | {
        for reference in "$@"; do
            read -r line
            # shellcheck disable=SC2086 # an ID, a source, digests and versions, one word each
            show "$reference" $line
        done
    }
    exit 0
fi
docker version >/dev/null 2>&1 || docker_is_silent
for reference in "$@"; do
    # shellcheck disable=SC2046 # an ID, a source, digests and versions, one word each
    set -- $(describe "$reference")
    [ $# -eq 0 ] || show "$reference" "$@"
done
exit 0
