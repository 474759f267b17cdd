"""The demo's hospitals as FHIR servers over loopback: one listens for all of them, at a path each.

It answers what Cove asks of a hospital and no more, and it never asks anybody anything.
"""
