"""Contract suites: a new backend, recorder or scheduler is tested by inheriting from one of these classes."""
