"""A user's own command as the model of a sweep."""
