# Goes before scripts that have to know which run they belong to. $connection: the number of the sshd process that serves the
# connection by which this script came, and when that process began; "1 …" or "0 …" for a program of the server itself.
# When the process began, because the numbers of processes are used again.
began() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
connection=$$
while [ "$connection" -gt 1 ]; do
    case $(cat "/proc/$connection/comm" 2>/dev/null) in sshd*) break ;; esac
    connection=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$connection/status" 2>/dev/null) || connection=1
    connection=${connection:-1}
done
connection="$connection $(began "$connection")"
