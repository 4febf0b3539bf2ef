"""The simulated world: a Kubernetes API, a Prometheus and a log store that are not there.

Imports nothing else of ours, and nothing else imports it: the product meets it over HTTP only.
"""
