"""The trial process: one job becomes checkpoints and event files in its folder, and a result."""
