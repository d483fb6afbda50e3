#!/bin/bash
# What each certificate is, in the words of acme-companion's cert_status.

echo '##### Certificate status #####'
for certificate in /etc/nginx/certs/*/fullchain.pem; do
    [[ -e $certificate ]] || continue
    directory="${certificate%/*}"
    until='is valid until'
    if [[ ! -e $directory/chain.pem ]]; then
        echo "$certificate: no corresponding chain.pem file, unable to verify certificate"
    elif verified="$(openssl verify -untrusted "$directory/chain.pem" "$certificate" 2>&1)"; then
        echo "$verified"
    elif openssl x509 -checkend 0 -noout -in "$certificate" >/dev/null; then
        echo "$certificate: OK (chain verification failed)"
    else
        echo "$certificate: EXPIRED"
        until='was valid until'
    fi
    issuer="$(openssl x509 -noout -issuer -nameopt sep_multiline,space_eq -in "$certificate" | sed -n 's/^ *CN = //p')"
    subject="$(openssl x509 -noout -subject -nameopt sep_multiline,space_eq -in "$certificate" | sed -n 's/^ *CN = //p')"
    echo "Certificate was issued by $issuer"
    echo "Certificate $until $(openssl x509 -noout -enddate -in "$certificate" | cut -d= -f2)"
    echo 'Subject Name:'
    echo "${subject:+- $subject}"
    names="$(openssl x509 -noout -ext subjectAltName -in "$certificate" | grep -o 'DNS:[^,]*' | sed 's/^DNS:/- /')"
    if [[ $(wc -l <<<"$names") -gt 1 ]]; then
        printf 'Subject Alternative Name:\n%s\n' "$names"
    fi
    users=()
    for link in /etc/nginx/certs/*.crt; do
        if [[ $(readlink -f "$link") == "$certificate" ]]; then
            users+=("- $(basename "$link" .crt)")
        fi
    done
    if [[ ${#users[@]} -gt 0 ]]; then
        echo 'Certificate is used by the following domain(s):'
        printf '%s\n' "${users[@]}"
    fi
    echo '##############################'
done
