"""
Alert test: one message by mail and one by webhook, as an alert goes. What fails is explained.

Run:  pyinfra inventory.py tasks/alert_test.py
"""

from pyinfra import host

from mstdn.alerts.operations import tried_alerts
from mstdn.secrets.operator import alert_secrets_for
from mstdn.settings import settings_for

settings = settings_for(host)

tried_alerts(
    name="Send an alert to try it",
    settings=settings,
    brought=alert_secrets_for(settings),
)
