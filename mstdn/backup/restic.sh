# Runs restic with the settings of this server: for the operator's own commands. After repository.sh.
# Whoever interrupts one of those leaves nothing to be told.
trap - TERM INT
run_restic "$@"
