"""When a client certificate ends."""

from datetime import datetime

from cryptography.x509 import load_pem_x509_certificate


def not_after(pem: str) -> datetime | None:
    """The end of the first certificate's validity; None where it cannot be read."""
    try:
        return load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    except ValueError:
        return None
