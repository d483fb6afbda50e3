"""
Stand-ins of the providers: the same host names, requests, replies and errors as the real ones, over TLS.

    internet.py     who answers under which name, by way of a proxy or at port 443; faults on demand
    names.py        DNS: the root's, the registries' and the zones' servers in one
    accounts.py     an account at each provider
    hetzner.py cloudflare.py route53.py google.py sparkpost.py    one provider each
    data_centre.py  what they have to give: addresses, machines, a firewall in front

In tests/provision they are in the test's own process, and reached through HTTPS_PROXY and REQUESTS_CA_BUNDLE. In the
lab they have the real names, and what they promise comes true (tests/lab/clouds.py). The suite has no door for tests. A
stand-in is strict where the real one is: signatures, forms, what is unique, what comes later. It is never kinder.

What the lab's image `clouds` holds is these modules and mstdn/dns/zone_file.py, so that they import nothing else but
Debian's packages; world.py, operator.py and shortcut.py are for tests and may.
"""
