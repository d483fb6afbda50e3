# shellcheck disable=SC2034,SC2154 # found.sh makes $containers, engine.sh reads what is made here
# What engine.sh would ask of the containers that found.sh has found, once for all questions of a batch. After found.sh.
[ -z "${containers-}" ] || described=$(describe) || unset described
