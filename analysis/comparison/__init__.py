"""Runs against a baseline: are they comparable, what differs, and is that more than chance?"""
