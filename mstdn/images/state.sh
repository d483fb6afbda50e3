# For each image reference after $1: "id reference ID" and "digest reference DIGEST" of what lies on the server;
# then "recorded reference DIGEST" for each line of the record $1.
record=$1
shift
describe() { docker image inspect --format '{{.Id}}{{range .RepoDigests}} {{.}}{{end}}' -- "$@" 2>/dev/null; }
show() {
    reference=$1 id=$2
    shift 2
    printf 'id %s %s\n' "$reference" "$id"
    for digest in "$@"; do
        printf 'digest %s %s\n' "$reference" "$digest"
    done
}
if [ -S /run/docker.sock ]; then
    # One question when all are there, which is the rule; Docker leaves out what it does not have, so then one for each.
    if all=$(describe "$@"); then
        printf '%s\n' "$all" | {
            for reference in "$@"; do
                read -r line
                # shellcheck disable=SC2086 # an ID and digests, one word each
                show "$reference" $line
            done
        }
    else
        for reference in "$@"; do
            # shellcheck disable=SC2046 # an ID and digests, one word each
            set -- $(describe "$reference")
            [ $# -eq 0 ] || show "$reference" "$@"
        done
    fi
fi
if [ -f "$record" ]; then
    sed 's/^/recorded /' "$record"
fi
exit 0
