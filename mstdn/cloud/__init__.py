"""
What provisioning has before there is a server: providers, their keys, and one way to talk to them.

    settings.py    what provision.py shares with deploy.py; all its settings are in ../settings/provision.py
    loading.py     host data in, one frozen ProvisionSettings out
    keys.py        the providers' keys
    errors.py      what a provider did not do, as a sentence
    http.py        one client for every JSON interface
    extras.py      packages that only some providers need
    steps.py       steps: told in a plan, carried out in a run
    hetzner.py     what Hetzner's server, firewall and DNS modules share
    google.py      the same for Google
"""
