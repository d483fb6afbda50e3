# shellcheck disable=SC2154 # units.sh, which goes before, makes $unit
# How the engine that is here was set up, by the suite or by somebody else. $1: the suite's note of what it wrote to
# daemon.json; the other arguments are names of users. After units and disks.
configuration=/etc/docker/daemon.json note=$1
shift
for user in "$@"; do id -u "$user" >/dev/null 2>&1 || printf 'stranger %s\n' "$user"; done
[ -L "$configuration" ] && printf 'link %s\n' "$(readlink -f "$configuration")"
[ -f "$configuration" ] && printf 'configuration %s\n' "$(base64 -w 0 "$configuration")"
[ -f "$note" ] && printf 'noted %s\n' "$(base64 -w 0 "$note")"

command='' environment='' environment_files='' unit_file='' drop_ins='' active='' started='' pid=''
find_unit docker.service || true
while IFS= read -r line; do
    value=${line#*=}
    case $line in
    ExecStart=*) command=$command$value$line_end ;;
    Environment=*) environment=$value ;;
    EnvironmentFiles=*) environment_files=$environment_files$value$line_end ;;
    FragmentPath=*) unit_file=$value ;;
    DropInPaths=*) drop_ins=$value ;;
    ActiveState=*) active=$value ;;
    ActiveEnterTimestamp=*) started=$value ;;
    MainPID=*) pid=$value ;;
    esac
done <<END
$unit
END
started=$(date -d "${started#* }" +%s 2>/dev/null)
unit_files="$unit_file $drop_ins"
while read -r file _; do unit_files="$unit_files $file"; done <<END
$environment_files
END
# When each of these files was changed.
# shellcheck disable=SC2086 # one word for each file
times=$(stat --dereference -c '%Y %n' "$configuration" $unit_files 2>/dev/null)
# Whether the daemon does not run, or one of these files is younger than it.
changed() {
    [ "$active" = active ] && [ -n "$started" ] || return 0
    while read -r time file; do
        case " $* " in *" $file "*) [ "$time" -lt "$started" ] || return 0 ;; esac
    done <<END
$times
END
    return 1
}

# Without an engine nobody can tell whether one would start with what is left of an older one.
if program=$(command -v dockerd); then
    printf 'program %s\n' "$program"
else
    echo absent
    for file in /etc/systemd/system/docker.service /etc/systemd/system/docker.service.d/*.conf; do
        [ -f "$file" ] && grep -q '^[[:space:]]*ExecStart[[:space:]]*=' "$file" && printf 'leftover %s\n' "$file"
    done
fi

# The value of a variable that the unit gives the daemon; a file goes before Environment. systemd prints a value with spaces in
# quotes, or not at all ("[unprintable]"). What xargs would not take apart as systemd does is not guessed.
value_of() {
    value=$(printf '%s' "$environment_files" | sed 's/ (ignore_errors=[a-z]*)$//' | while read -r file; do
        [ -f "$file" ] && sed -n "s/^[[:space:]]*$1=/=/p" "$file"
    done | tail -n 1 | sed "s/^=\"\(.*\)\"\$/=\1/; t; s/^='\(.*\)'\$/=\1/")
    # An empty one in a file counts too.
    if [ -n "$value" ]; then
        value=${value#=}
    else
        value=$environment
        case $value in *'[unprintable]'* | *\\* | *"\$'"*) return 1 ;; esac
        value=$(printf '%s\n' "$value" | xargs printf '%s\n' 2>/dev/null) || return 1
        value=$(printf '%s\n' "$value" | sed -n "s/^$1=//p" | tail -n 1)
    fi
    case $value in *\\*) return 1 ;; esac
    printf '%s\n' "$value"
}
# The options of the daemon, one a line: those that it runs with, unless its unit says others since. ExecStart may name
# variables, which systemd takes apart at spaces unless their names stand in braces.
# shellcheck disable=SC2086 # one word for each file
if ! changed $unit_files && running=$(tr '\0' '\n' <"/proc/$pid/cmdline") && program=${running%%"$line_end"*} &&
    [ "${program##*/}" = dockerd ]; then
    flags=${running#"$program"}
    flags=${flags#"$line_end"}
else
    flags=$(
        words=$(printf '%s' "$command" | sed -n 's/.*argv\[\]=[^ ]* *\(.*\) ; ignore_errors=.*/\1/p')
        # systemd prints an argument with spaces in quotes.
        case $words in
        *[\"\']*) printf '%s\n' "$words" | xargs printf '%s\n' 2>/dev/null ;;
        *) printf '%s\n' "$words" | tr ' ' '\n' ;;
        esac | while IFS= read -r word; do
            case $word in
            \$*)
                name=$(printf '%s' "$word" | tr -cd 'A-Za-z0-9_')
                if ! value=$(value_of "$name"); then
                    echo "unreadable $name"
                elif [ "$word" = "\${$name}" ]; then
                    printf '%s\n' "$value"
                else
                    printf '%s\n' "$value" | xargs printf '%s\n' 2>/dev/null || echo "unreadable $name"
                fi
                ;;
            *) printf '%s\n' "$word" ;;
            esac
        done | sed '/^$/d'
    )
fi

root='' option=''
while IFS= read -r flag; do
    case $flag in
    '') ;;
    'unreadable '*) printf '%s\n' "$flag" ;;
    *) printf 'flag %s\n' "$flag" ;;
    esac
    case $option$flag in --data-root=*) root=${flag#--data-root=} ;; esac
    option=''
    [ "$flag" != --data-root ] || option=--data-root=
done <<END
$flags
END

# Where the engine keeps its own: images and containers, with newer engines those of containerd too.
configured=$([ ! -f "$configuration" ] || cat "$configuration")
case $root,$configured in
,*'"data-root"'*) root=$(printf '%s' "$configured" | tr -d '\n' | sed -n 's/.*"data-root"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p') ;;
esac
printf 'root %s\n' "${root:=/var/lib/docker}"
containerd=$(sed -n "s/^root *= *[\"']\([^\"']*\).*/\1/p" /etc/containerd/config.toml 2>/dev/null)
containerd=${containerd:-/var/lib/containerd}
# It holds the images from Engine 29 on, and in older ones that were told so; here an engine is there with them or there is none.
set -- "$root"
if ! command -v dockerd >/dev/null || [ -n "$(ls -A "$containerd/io.containerd.content.v1.content/blobs" 2>/dev/null)" ]; then
    set -- "$@" "$containerd"
fi
disks "$@"
read -r forwarding </proc/sys/net/ipv4/ip_forward
printf 'forwarding %s\n' "$forwarding"
# docker info would tell as well, but not while the daemon fails to start because of it.
[ -e "$root/swarm/docker-state.json" ] && echo swarm

# Where root's commands go: a variable of /etc/environment goes before what "docker context use" has chosen.
case ${DOCKER_HOST:-} in
'' | unix:///var/run/docker.sock | unix:///run/docker.sock)
    [ -n "${DOCKER_HOST:-}" ] || [ ! -f /root/.docker/config.json ] ||
        sed -n '/"currentContext": *"default"/d; s/.*"currentContext": *"\([^"]*\)".*/elsewhere context \1/p' /root/.docker/config.json
    ;;
*) printf 'elsewhere DOCKER_HOST %s\n' "$DOCKER_HOST" ;;
esac

# A Compose of somebody's own goes before that of the packages.
for plugin in /root/.docker/cli-plugins /usr/local/lib/docker/cli-plugins /usr/local/libexec/docker/cli-plugins; do
    [ -x "$plugin/docker-compose" ] && printf 'compose %s %s\n' "$plugin/docker-compose" \
        "$("$plugin/docker-compose" docker-cli-plugin-metadata 2>/dev/null | sed -n 's/.*"Version": *"v\{0,1\}\([^"]*\)".*/\1/p')"
done

# The daemon judges its own configuration. One that started after the last change has done so already.
# Not one with userns-remap, for which even --validate makes a user; it is refused anyway.
# Nor with options that could not be read.
# shellcheck disable=SC2086 # one word for each file
if [ -f "$configuration" ] && command -v dockerd >/dev/null && ! grep -q userns-remap "$configuration" &&
    ! printf '%s\n' "$flags" | grep -q '^unreadable ' &&
    changed "$configuration" $unit_files; then
    set --
    while read -r flag; do
        [ -z "$flag" ] || set -- "$@" "$flag"
    done <<END
$flags
END
    verdict=$(dockerd "$@" --validate --config-file "$configuration" 2>&1) || printf 'invalid %s\n' "$(printf '%s' "$verdict" | tr '\n' ' ')"
fi
exit 0
