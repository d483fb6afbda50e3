"""The names of the site in the DNS, and the proof that the world sees them."""
