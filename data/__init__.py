"""Committed data of the course (cards, claims, studies, registry), shipped as ``casebook.data``."""
