"""The take-over of an instance that somebody has set up by hand with Compose."""
