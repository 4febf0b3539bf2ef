"""A simulated Kubernetes API server: an object store and the real protocol over loopback HTTP."""
