"""The stand-in: a real-time inference service behind its gateway, on this machine.

It imports nothing else of this project. Every limit is an argument, so the service that is measured cannot share a
wrong constant with the client that measures it.
"""
