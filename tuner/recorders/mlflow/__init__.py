"""MLflow: runs, metrics, artefacts, models."""
