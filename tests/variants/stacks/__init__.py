"""Servers that have nothing in common but what they serve."""
