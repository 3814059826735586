"""Brings feedback in: read, clean, mask, classify, write."""
