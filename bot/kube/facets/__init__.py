"""What is read about a target: one function a facet, one theme a file."""
