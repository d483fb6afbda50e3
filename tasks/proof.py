"""
The proof: name servers answer with what was published, and the mail provider has seen it. Then what to do next.

Run by itself:  pyinfra @local tasks/proof.py
"""

from pyinfra import host

from mstdn.cloud.loading import provision_settings_for
from mstdn.dns.operations import proven_records
from mstdn.mail_domain.operations import verified_domain
from mstdn.server.operations import next_steps

settings = provision_settings_for(host)

proven_records(name="Ask the authoritative name servers", settings=settings)

verified_domain(name="Have the sending domain verified", settings=settings)

next_steps(name="Say what to do next", settings=settings)
