"""The cluster's door: connection, credentials and raw requests to a Kubernetes API server.

A ``Reader`` knows GET only; a ``Writer`` can change things. Only this room imports the official ``kubernetes`` client,
and only in a child process that ends at once. It must not know what a rollout is, nor what is done with the answers.
"""
