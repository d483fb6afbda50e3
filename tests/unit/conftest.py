"""What holds for all unit tests."""

from hypothesis import settings

# A machine that does other things beside is slow at times; how fast something is, make bench measures.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
