"""
Kernel: what Redis asks for, so that it can save its jobs where memory is short.

Run by itself:  pyinfra inventory.py tasks/kernel.py
"""

from mstdn.kernel.operations import memory_for_forks

memory_for_forks(
    name="Let Redis save its jobs where memory is short",
)
