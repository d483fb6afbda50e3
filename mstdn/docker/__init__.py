"""Docker Engine, Buildx and Compose from Docker's own apt repository."""
