"""An operator's account at each provider, all of them empty."""

from __future__ import annotations

from tests.stand_ins import cloudflare, google, hetzner, route53, sparkpost
from tests.stand_ins.data_centre import DataCentre, Opening
from tests.stand_ins.internet import Site
from tests.stand_ins.names import Names

# What must be seen nowhere.
KEYS = {
    "HCLOUD_TOKEN": "hetzner-canary",
    "CLOUDFLARE_API_TOKEN": "cloudflare-canary",
    "ROUTE53_ACCESS_KEY_ID": "AKIAROUTEFIFTYTHREE1",
    "ROUTE53_SECRET_ACCESS_KEY": "route53-canary",
    "SPARKPOST_API_KEY": "sparkpost-canary",
}


class Accounts:
    """`sites`: who answers under which host name. `centre`: where addresses and machines come from."""

    def __init__(self, names: Names, centre: DataCentre | None = None):
        centre = centre or DataCentre()
        self.hetzner = hetzner.HetznerStandIn(names, centre)
        self.cloudflare = cloudflare.CloudflareStandIn(names)
        self.route53 = route53.Route53StandIn(names)
        self.google = google.GoogleStandIn(centre)
        self.sparkpost = sparkpost.SparkPostStandIn(names)
        self.sparkpost_eu = sparkpost.SparkPostStandIn(names, "sparkpost-eu-canary", "eu")
        self.sites: dict[str, Site] = {
            hetzner.HOST: self.hetzner,
            cloudflare.HOST: self.cloudflare,
            route53.HOST: self.route53,
            google.HOST: self.google,
            google.TOKEN_HOST: self.google.login,
            sparkpost.HOSTS["us"]: self.sparkpost,
            sparkpost.HOSTS["eu"]: self.sparkpost_eu,
        }

    def settle(self) -> None:
        """Time passes: what the providers accepted is done."""
        self.hetzner.settle()
        self.google.settle()
        self.route53.settle()

    def openings(self) -> dict[str, tuple[Opening, ...]]:
        """What the providers' firewalls let through to each machine, by its IPv4 address."""
        return {**self.google.openings(), **self.hetzner.openings()}
