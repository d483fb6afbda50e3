# Gives the kernel's setting $1 the value $2 now.
set -eu
echo "$2" >"/proc/sys/$(printf '%s' "$1" | tr . /)"
