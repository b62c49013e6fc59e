"""Feeds the contract to generators and servers that people use, and tells what came of it; run by `nox -s consumers`.

One module a family of consumers, `driver` runs them, `programs/` holds what runs in their own environments.
"""
