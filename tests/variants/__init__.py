"""Implementations that conform to the contract and differ in whatever it leaves free, on servers of their own.

Nothing here is taken from the reference implementation: what the contract says was read anew.
"""
