"""Single faults of the reference implementation, each of which the suite has to find.

A suite that passes a right implementation has shown little; one that also fails each of these has shown that it looks.
Nothing is imported here: `provider_conformance.faults.catalogue.load_faults` does that.
"""
