"""Where the API server is and how it knows us, as the official client resolved it.

The record travels once, through a pipe, from the resolving child to us; its secrets stay in memory and out of every
``repr``, because tracebacks print locals.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from urllib.parse import urlsplit

import msgspec


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way into one cluster."""

    host: str
    """Base URL without a trailing slash; a path in it is kept (Rancher and other proxies have one)."""
    authorization: str = ""
    """Value of the ``Authorization`` header; empty with client certificates."""
    impersonate: tuple[tuple[str, str], ...] = ()
    """``Impersonate-…`` headers for ``as`` of the kubeconfig: whom the server shall take us for."""
    ca: str = ""
    """PEM; empty: the machine's own authorities."""
    certificate: str = ""
    key: str = ""
    """PEM."""
    verify: bool = True
    server_name: str = ""
    """``tls-server-name``: the name the certificate must bear where it is not the host's."""
    proxy: str = ""
    expires: float | None = None
    """Epoch seconds at which the credentials end, where the plugin said so."""
    context: str = ""
    user: str = ""
    cluster: str = ""
    namespace: str = ""
    """The context's own namespace."""
    source: str = ""
    """Path of the kubeconfig, or ``in-cluster``."""

    def __repr__(self) -> str:
        return f"Endpoint(host={self.host!r}, context={self.context!r})"

    @property
    def address(self) -> str:
        """``host:port`` for people."""
        parts = urlsplit(self.host)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return f"{parts.hostname}:{port}"


def tls(endpoint: Endpoint) -> ssl.SSLContext:
    """A TLS context for ``endpoint``.

    Raises:
        ssl.SSLError: a certificate or key is broken.
    """
    context = ssl.create_default_context(cadata=endpoint.ca or None)
    # Cluster authorities made by older tools lack key identifiers, which Python 3.13's strict mode refuses.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not endpoint.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if endpoint.certificate and endpoint.key:
        _load_pair(context, endpoint.certificate, endpoint.key)
    return context


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """OpenSSL reads key pairs from files only: one private file, gone as soon as it has been read."""
    handle, path = tempfile.mkstemp(prefix="opsroom-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(certificate.rstrip() + "\n" + key.rstrip() + "\n")
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
