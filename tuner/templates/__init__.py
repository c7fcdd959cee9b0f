"""What ``tuner init`` writes."""
