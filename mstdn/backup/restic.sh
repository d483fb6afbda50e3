# Runs restic with the settings of this server: for the operator's own commands. After repository.sh.
run_restic "$@"
