"""One page a cause, shipped with the program and shown by `explain`."""
