"""What there is to know of a server at a glance, and what is wrong with it. It changes nothing."""
