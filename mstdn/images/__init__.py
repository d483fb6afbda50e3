"""Container images: pulled at a pinned tag whose content is remembered, or built from the checkout."""
