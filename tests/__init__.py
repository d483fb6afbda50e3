"""Everything that proves the suite. A package of its own, so that no installed package of this name comes first."""
