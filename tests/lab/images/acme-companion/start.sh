#!/bin/bash
exec python3 -ES /usr/local/lib/acme-companion/acme_companion.py
