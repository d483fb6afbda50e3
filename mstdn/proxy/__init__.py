"""The proxy: nginx on ports 80 and 443, docker-gen, acme-companion and the filter before Docker's socket."""
