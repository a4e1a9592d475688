"""A home feed that tests a new ranker."""
