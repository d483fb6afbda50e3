"""How long copies of what others posted are kept: set once, and from then on the owner's."""
