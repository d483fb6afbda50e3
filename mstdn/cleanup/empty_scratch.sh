# Removes the files under $1 that nobody has written to for $2 minutes, and the directories that are empty since.
set -eu
find "$1" -xdev -mindepth 1 -type f -mmin "+$2" -delete
find "$1" -xdev -mindepth 1 -type d -empty -mmin "+$2" -delete
