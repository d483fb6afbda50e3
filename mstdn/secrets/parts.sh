# shellcheck disable=SC2034,SC2154 # what is made here is used in the scripts that follow, and the other way round
# Goes before the scripts that compare or write what each container gets of the secrets in the directory $1. A part comes as
# "FILE;OWNER;FORM;REVISION;operator or -;NAME|NAME" (mstdn/secrets/parts.py).
# Makes the fields of $1 known as variables, without starting a program for each.
read_fields() {
    before=$IFS
    IFS=';'
    set -f
    # shellcheck disable=SC2086 # that is how it is divided
    set -- $1
    set +f
    IFS=$before
    part_file=$1 part_owner=$2 part_form=$3 part_revision=$4 part_operator=$5 part_names=$6
}
line_end='
'
# Keeps what the server made and what the operator brought, so that part() need not start a program each time.
read_secrets() {
    # Whoever reads a named pipe waits for somebody to write.
    instance=$([ ! -f "$directory/instance.env" ] || cat "$directory/instance.env" 2>/dev/null) || instance=''
    # The point keeps the ends of the last lines.
    operator=$([ ! -f "$directory/operator.env" ] || cat "$directory/operator.env" 2>/dev/null || :; echo .)
    operator=${operator%.}
}
# Prints the part that was read last: only what its reader needs, in the form that it reads.
part() {
    before=$IFS
    IFS=$line_end
    set -f
    lines=''
    for line in $instance; do
        case $line in *=*) ;; *) continue ;; esac
        case "|$part_names|" in *"|${line%%=*}|"*) lines=${lines:+$lines$line_end}$line ;; esac
    done
    set +f
    IFS=$before
    case $part_form in
    dotenv) [ -z "$lines" ] || printf '%s\n' "$lines" ;;
    bare) printf '%s\n' "${lines#*=}" ;;
    redis) printf 'requirepass %s\n' "${lines#*=}" ;;
    esac
    [ "$part_operator" != operator ] || printf '%s' "$operator"
}
# Compose reads these from .env by itself, for people's own "docker compose up" too: a container is made anew when its part
# changes. Sixteen digits of a checksum over keys of 128 digits tell nothing, so everybody who may use Docker may read them.
revisions() {
    for each in "$@"; do
        read_fields "$each"
        [ "$part_revision" = - ] || printf '%s=%.16s\n' "$part_revision" "$(part | sha256sum)"
    done
}
