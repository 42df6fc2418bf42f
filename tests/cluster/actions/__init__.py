"""Every action against the real API server."""
