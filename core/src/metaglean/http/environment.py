"""Proxies and certificate authorities: what the environment says, read once a session.

urllib3 is used directly (it comes with requests): building a `requests` request, its cookies and
its answer costs a quarter of a call, and it reads `.netrc` and the environment at every one.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import certifi
from urllib3.util.ssl_ import create_urllib3_context

from metaglean.errors import ConfigError

__all__ = ["Proxies", "authorities", "tls_context"]

# The variables of requests and curl first, as users of Python tools set them; then OpenSSL's.
_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def authorities(verify: bool | str | None) -> tuple[str | None, str]:
    """The file (or folder) of certificate authorities to trust, and who named it.

    None is: no verification, which only `verify=False` gives. Raises ConfigError.
    """
    if verify is False:
        return None, ""
    if isinstance(verify, str):
        path, origin = verify, "caFile"
    else:
        variable = next((name for name in _VARIABLES if os.environ.get(name)), "")
        path, origin = os.environ[variable] if variable else certifi.where(), variable
    if not _stands(path):
        raise ConfigError(
            f"the certificate file {path} ({origin or 'certifi'}) doesn't exist",
            "Name a PEM file with the certificate authorities to trust.",
        )
    return path, origin


def _stands(path: str) -> bool:
    """What is too long for a path, or has a NUL, stands nowhere."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def tls_context(verify: bool | str | None) -> ssl.SSLContext:
    """One context for all connections of a session: reading the authorities takes milliseconds."""
    path, origin = authorities(verify)
    context = create_urllib3_context()
    if path is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"the certificate file {path} ({origin or 'certifi'}) can't be read: {error}",
            "Name a PEM file with the certificate authorities to trust.",
        ) from error
    return context


class Proxies:
    """Which proxy leads to a host. `proxies` (scheme -> URL) overrules the environment."""

    def __init__(self, proxies: Mapping[str, str] | None = None) -> None:
        self._known = {
            k.lower(): v for k, v in (getproxies() if proxies is None else proxies).items()
        }
        no = self._known.get("no", "").lower().replace(" ", "").split(",")
        self._no = [entry for entry in no if entry]

    def secrets(self) -> tuple[str, ...]:
        """The passwords that stand in the addresses of the proxies."""
        urls = (urlsplit(url) for scheme, url in self._known.items() if scheme != "no")
        return tuple(url.password for url in urls if url.password)

    def lead_to(self, scheme: str, host: str, port: int | None) -> str | None:
        """The address of the proxy for a host; None where it is reached directly."""
        proxy = self._known.get(f"{scheme}://{host}") or self._known.get(scheme)
        proxy = proxy or self._known.get("all")
        if not proxy or self._bypassed(host, port):
            return None
        proxy = proxy if "://" in proxy else f"http://{proxy}"
        if urlsplit(proxy).scheme not in {"http", "https"}:
            raise ConfigError(
                f"the proxy for {scheme}://{host} is of a kind that isn't supported: "
                f"{urlsplit(proxy).scheme}",
                "Name an http:// or https:// proxy, or list the host in NO_PROXY.",
            )
        return proxy

    def _bypassed(self, host: str, port: int | None) -> bool:
        names = {"*", host, f"{host}:{port}"}
        return any(
            entry in names or host.endswith(f".{entry.lstrip('.')}") or _within(host, entry)
            for entry in self._no
        )


def _within(host: str, entry: str) -> bool:
    """Whether the host is an address in the network that the entry names (10.0.0.0/8)."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
