"""What earlier releases and killed processes left behind: images, the cache of builds, temporary files."""
