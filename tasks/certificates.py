"""
Certificates: on disk, in nginx and in the records of the authority's client they are the same, and not about to end.

Run by itself:  pyinfra inventory.py tasks/certificates.py
"""

from pyinfra import host

from mstdn.app.names import served_names
from mstdn.certificates.operations import certificates
from mstdn.settings import settings_for

settings = settings_for(host)

certificates(
    name="Keep the certificates in order",
    proxy_root=settings.proxy_root,
    prefix=settings.certificate_prefix,
    names=served_names(settings),
)
