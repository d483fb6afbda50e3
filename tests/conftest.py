"""pyinfra runs on gevent; what it needs patched has to be patched before anything else imports sockets."""

from gevent import monkey

monkey.patch_all()
