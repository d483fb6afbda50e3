# "written PATH" for each file in the directory $1 whose first line says $2.
for path in "$1"/*; do
    [ -f "$path" ] && [ ! -L "$path" ] && { IFS= read -r line <"$path" || [ -n "$line" ]; } && case $line in *"$2"*) printf 'written %s\n' "$path" ;; esac
done
exit 0
