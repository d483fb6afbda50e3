# Notes in $3 that the database is at release $2, with nothing left to do. After migrations.sh.
# shellcheck disable=SC2154 # migrations.sh has read the first arguments
note "$(known LOCAL_DOMAIN)" "$release"
