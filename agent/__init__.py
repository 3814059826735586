"""Decides: graph, offline planner, number lock, plans, reports, settings, wiring."""
