"""Business machine-learning case interviews in which every sentence runs."""
