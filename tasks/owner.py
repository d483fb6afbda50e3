"""
Owner: the first account of the instance, or the way back in for one that is locked out. A new password is shown once.

Run:  pyinfra inventory.py tasks/owner.py --data owner_name=alice --data owner_email=alice@example.org
      … --data owner_name=alice --data owner_reset=password    or second_factor, or both
      … --data owner_name=alice --data owner_promote=true      an account that is there becomes an owner
"""

from pyinfra import host

from mstdn.owner.operations import owner
from mstdn.settings import settings_for

settings = settings_for(host)

owner(
    name="Let the owner in",
    account=settings.owner_name,
    address=settings.owner_email,
    reset=settings.owner_reset,
    promote=settings.owner_promote,
)
