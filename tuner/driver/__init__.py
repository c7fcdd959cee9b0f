"""The driver: one loop that asks, starts, reports, decides, obeys and tells."""
