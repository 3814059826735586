"""Turns text into vectors and themes, and finds them again (Chroma)."""
