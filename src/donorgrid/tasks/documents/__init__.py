"""The documents of a task: the rows of its splits, from local files, the hub, or a reader that the caller passes in."""
