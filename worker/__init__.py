"""The back of the house: the queue, the pictures by key, and the coordinated threads."""
