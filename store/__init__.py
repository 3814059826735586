"""Keeps the facts and the operations, and knows nothing above it."""
