"""Measures: cases, scorers, simulator, baselines."""
