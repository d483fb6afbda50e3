"""
What provisioning has before there is a server: providers, their keys, and one way to talk to them.

    settings.py    the settings of provision.py, put together from its components'
    keys.py        the providers' keys
    trouble.py     what a provider did not do, as a sentence
    http.py        one client for every JSON interface
    extras.py      packages that only some providers need
    steps.py       steps: told in a plan, carried out in a run
    hetzner.py     what Hetzner's server, firewall and DNS modules share
    google.py      the same for Google
"""
