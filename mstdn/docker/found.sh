# shellcheck disable=SC2154 # units.sh, which goes before, makes $unit
# What many questions to Docker Engine need, found once for all of a batch: see engine.sh, which reads it. "silent" where the
# engine does not answer, so that not each of them waits for it. After units.
engine=''
if find_unit docker.service; then
    while IFS='=' read -r property value; do
        case $property in LoadState | ActiveState | MainPID) engine="$engine$value " ;; esac
    done <<END
$unit
END
fi
export engine
case $engine in
*' active '* | 'active '*)
    if ! containers=$(GOGC=400 timeout 60 docker ps --all --no-trunc --format '{{.ID}}|{{.State}}|{{.Label "com.docker.compose.project"}}|{{.Label "com.docker.compose.service"}}|{{.Label "com.docker.compose.oneoff"}}'); then
        engine=silent
    # A variable that a program is started with may have 128 KiB (Linux, MAX_ARG_STRLEN).
    elif [ "${#containers}" -lt 100000 ]; then
        export containers
    else
        unset containers
    fi
    ;;
esac
