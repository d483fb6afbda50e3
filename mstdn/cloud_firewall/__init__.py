"""The provider's firewall in front of the server."""
