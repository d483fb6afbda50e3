"""What holds for all unit tests."""

import gc

from hypothesis import settings

# A machine that does other things beside is slow at times; how fast something is, make bench measures.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """All tests are there, and stay to the end. Python needs not look through them again and again for garbage."""
    gc.collect()
    gc.freeze()
