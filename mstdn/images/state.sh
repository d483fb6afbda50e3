# For each argument that is an image of the server: "id REFERENCE ID", "digest REFERENCE DIGEST" for each name that
# registries know it by, and "built REFERENCE SOURCE" for one that was built here.
describe() {
    docker image inspect --format '{{.Id}} {{with index .Config.Labels "org.mstdn.source"}}{{.}}{{else}}-{{end}}{{range .RepoDigests}} {{.}}{{end}}' "$@" 2>/dev/null
}
show() {
    reference=$1
    printf 'id %s %s\n' "$reference" "$2"
    [ "$3" = - ] || printf 'built %s %s\n' "$reference" "$3"
    shift 3
    for digest in "$@"; do
        printf 'digest %s %s\n' "$reference" "$digest"
    done
}
# One question when all are there, which is the rule; Docker leaves out what it does not have, so then one for each.
if all=$(describe "$@"); then
    printf '%s\n' "$all" | {
        for reference in "$@"; do
            read -r line
            # shellcheck disable=SC2086 # an ID, a source and digests, one word each
            show "$reference" $line
        done
    }
    exit 0
fi
docker version >/dev/null 2>&1 || docker_is_silent
for reference in "$@"; do
    # shellcheck disable=SC2046 # an ID, a source and digests, one word each
    set -- $(describe "$reference")
    [ $# -eq 0 ] || show "$reference" "$@"
done
exit 0
