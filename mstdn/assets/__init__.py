"""The release's compiled styles and scripts, published to the inner nginx."""
