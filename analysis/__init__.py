"""Run directory (CSV) -> numbers -> report. Imports neither locust nor gevent nor loadgate."""
