# What many questions to Docker Engine need, found once for all of a batch: see engine.sh, which reads it. "silent" where the
# engine does not answer, so that not each of them waits for it.
look_at_engine() { engine=$(systemctl show --property LoadState,ActiveState,MainPID --value docker.service 2>/dev/null | tr '\n' ' '); }
look_at_engine
# It starts, as after a boot, or reads its configuration anew: in a moment it can be asked.
tries=60
while [ "$tries" -gt 0 ]; do
    case " $engine" in *' activating '* | *' reloading '*) ;; *) break ;; esac
    tries=$((tries - 1))
    sleep 0.5
    look_at_engine
done
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
