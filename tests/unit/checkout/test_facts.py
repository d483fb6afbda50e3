"""A checkout, as the script prints it."""

from __future__ import annotations

from mstdn.checkout.facts import Checkout, GitCheckout
from tests.harness import read


def test_a_modified_checkout_is_read() -> None:
    output = """\
head 1111111111111111111111111111111111111111
wanted 1111111111111111111111111111111111111111
tagged v4.7.60
modified  M app/a file.rb
modified ?? notes
"""
    assert read(GitCheckout, output) == Checkout(False, "1" * 40, "1" * 40, "v4.7.60", [" M app/a file.rb", "?? notes"])


def test_a_checkout_whose_first_fetch_was_killed_is_read() -> None:
    assert read(GitCheckout, "switching\nhead \nwanted \ntagged \n") == Checkout(switching=True)


def test_a_bare_server_has_no_checkout() -> None:
    assert read(GitCheckout, "") == Checkout()
