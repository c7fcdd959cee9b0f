"""What commands do with a sweep that is there: one file a command."""
