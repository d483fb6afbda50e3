"""The lab's stand-in for Mastodon's Rails application: see README.md beside the Dockerfile for what it promises."""
