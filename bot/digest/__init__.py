"""What is new, due and gone since the last time, and who is told of it when. Pure."""
