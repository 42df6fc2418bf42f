"""Takes a digest from its slot to its channels, exactly once; and makes one when somebody asks."""
