# Goes before scripts that have to know which run they belong to. $connection: the number of the sshd process that serves the
# connection by which this script came, and when that process began; "1 …" or "0 …" for a program of the server itself.
# Only what the shell itself can do: this goes before every script.
# The field $2 of what the kernel says of the process $1 behind its name (proc_pid_stat): 2 is its parent, 20 when it
# began, because the numbers of processes are used again.
field_of() {
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    number=$2
    # shellcheck disable=SC2086 # one word for each field
    set -- ${line##*) }
    eval "echo \"\${$number}\""
}
began() { field_of "$1" 20; }
connection=$$
while [ "$connection" -gt 1 ]; do
    comm=
    { read -r comm <"/proc/$connection/comm"; } 2>/dev/null || true
    case $comm in sshd*) break ;; esac
    connection=$(field_of "$connection" 2)
    connection=${connection:-1}
done
connection="$connection $(began "$connection")"
# What somebody has set for all of root's commands (/etc/environment) would lead Compose to other files than the suite's.
unset COMPOSE_FILE COMPOSE_PATH_SEPARATOR COMPOSE_PROJECT_NAME COMPOSE_PROFILES COMPOSE_ENV_FILES COMPOSE_DISABLE_ENV_FILE
