"""The reference implementation of the contract, conforming at every level.

It is what the suite is proved against, what the single faults are overrides of, and what client developers can talk
to. Nothing is imported here, so that a caller who only wants to know whether it exists pays nothing for it.
"""
