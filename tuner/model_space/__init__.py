"""``space(trial)`` of a model, run in a process of its own."""
