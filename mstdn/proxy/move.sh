# Goes before compose/roll. Two proxies cannot publish the same ports. So "move SERVICE CONTAINER" has the kernel lead whoever comes
# to them from now on to a proxy that publishes none, before Docker's rules lead him anywhere; move_back ends that. Connections that
# there are stay where they are.
rules=mstdn-handover
move() {
    address=$(docker inspect --format '{{with index .NetworkSettings.Networks "front"}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}' "$2")
    address4=${address%% *} address6=${address##* }
    if command -v nft >/dev/null; then
        # It ends by itself, should nobody be left to end it.
        {
            echo "table inet $rules {"
            echo 'set ports { type inet_service; timeout 30m; elements = { 80, 443 }; }'
            echo 'chain arriving { type nat hook prerouting priority dstnat - 10;'
            echo "meta nfproto ipv4 fib daddr type local tcp dport @ports dnat ip to $address4;"
            [ -z "$address6" ] || echo "meta nfproto ipv6 fib daddr type local tcp dport @ports dnat ip6 to $address6;"
            echo '}; }'
        } | nft -f -
    else
        for pair in "iptables $address4" "ip6tables $address6"; do
            [ -z "${pair#* }" ] || "${pair%% *}" --wait --table nat --insert PREROUTING --match addrtype --dst-type LOCAL \
                --protocol tcp --match multiport --destination-ports 80,443 --match comment --comment "$rules" \
                --jump DNAT --to-destination "${pair#* }" || return
        done
    fi || return
    # What the old one has accepted already, it reads within a moment.
    sleep 1
}
move_back() {
    if command -v nft >/dev/null; then
        nft delete table inet "$rules" 2>/dev/null || return 0
    else
        for program in iptables ip6tables; do
            "$program" --table nat --list-rules PREROUTING 2>/dev/null | sed -n "/ $rules /s/^-A/--delete/p" |
                while read -r rule; do
                    # shellcheck disable=SC2086 # its words; none has a space
                    "$program" --wait --table nat $rule
                done
        done
    fi
    sleep 1
}
