#!/bin/bash
exec python3 -ES /usr/local/lib/acme-companion/certificate_service.py --force-renew
