# shellcheck disable=SC2034,SC2154 # units.sh, which goes before, makes $unit; engine.sh reads what is made here
# What many questions to Docker Engine need, found once for all of a batch: see engine.sh, which reads it. "silent" where the
# engine does not answer, so that not each of them waits for it. After units and describe.sh.
engine=''
if find_unit docker.service; then
    while IFS='=' read -r property value; do
        case $property in LoadState | ActiveState | MainPID) engine="$engine$value " ;; esac
    done <<END
$unit
END
fi
case $engine in *' active '* | 'active '*) containers=$(list) || { engine=silent && unset containers; } ;; esac
