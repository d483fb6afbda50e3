"""The site's certificates: what is on disk, what nginx serves, and what the authority's client believes."""
