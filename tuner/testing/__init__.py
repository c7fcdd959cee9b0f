"""Contract suites: a new backend or recorder is tested by inheriting from one of these classes."""
