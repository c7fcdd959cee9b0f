"""Models to start from, each with a search space in ``search_spaces/``."""
