"""What we ask a server that pyinfra cannot. Each fact costs one remote command and never fails on a bare server."""
