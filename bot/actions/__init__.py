"""What the bot can do to a cluster, who may have it done, and how it is done exactly once."""
