# Goes before scripts that have to know whose they are. $connection: the number of the process that is the connection which this
# script came by, its sshd, and when that began; "1 …" or "0 …" for a program of the server itself.
# When the process began: numbers of processes come again.
began() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
connection=$$
while [ "$connection" -gt 1 ]; do
    case $(cat "/proc/$connection/comm" 2>/dev/null) in sshd*) break ;; esac
    connection=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$connection/status" 2>/dev/null) || connection=1
    connection=${connection:-1}
done
connection="$connection $(began "$connection")"
