"""Batches: many pictures handed in at once, and painted as jobs like any other."""
