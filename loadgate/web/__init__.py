"""Locust's page with loadgate in it."""
