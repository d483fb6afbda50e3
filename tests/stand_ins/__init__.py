"""
Providers that exist in this process only: the same host names, requests, replies and errors as the real ones, over TLS.

    internet.py     a proxy that answers for them under their real names; faults on demand
    names.py        DNS: the root's, the registries' and the zones' servers in one
    hetzner.py cloudflare.py route53.py google.py sparkpost.py    one provider each

They are reached through HTTPS_PROXY and REQUESTS_CA_BUNDLE, which every operator may set, so the suite has no door for
tests. A stand-in is strict where the real one is: signatures, forms, what is unique, what comes later. It is never
kinder. In the lab the same classes can stand behind the real names.
"""
