"""One suite against the embedded cluster and against a real control plane: both must give the same answers."""
