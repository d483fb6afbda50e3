# The certificates that visitors get for the names that are the arguments: "certificate NAME BEGIN END" in seconds since the epoch,
# or "certificate NAME none" where none of that name is served. What is published on 0.0.0.0 is here too.
for name; do
    told=$(timeout 5 openssl s_client -connect 127.0.0.1:443 -servername "$name" </dev/null 2>/dev/null |
        openssl x509 -noout -startdate -enddate -checkhost "$name" 2>/dev/null)
    case $told in *'does match certificate'*) ;; *) echo "certificate $name none" && continue ;; esac
    times=$(printf '%s\n' "$told" | sed -n 's/^not[A-Z][a-z]*=//p' | date -f - +%s | tr '\n' ' ')
    echo "certificate $name ${times% }"
done
exit 0
