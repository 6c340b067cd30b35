"""A certificate that a server makes for itself (`--tls-self-signed`); clients pin its fingerprint. Knows no sockets."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ml_logger import credentials
from ml_logger.errors import MissingExtraError

_YEARS = 5


def own_certificate(config_dir: Path, names: Iterable[str]) -> tuple[tuple[Path, Path], str]:
    """Return ((certificate, key) as PEM files of this user, SHA-256 of the certificate in hex); made at the first call, then kept.

    Raises `MissingExtraError` without `cryptography`, `SettingsError` if others could have read the key.
    """
    place = credentials.private_dir(credentials.private_dir(config_dir) / "tls")
    paths = place / "certificate.pem", place / "key.pem"
    kept = [credentials.read_private(path) for path in paths]
    if not all(kept):
        for path, data in zip(paths, _make(sorted(names)), strict=True):
            credentials.write_private(path, data)
    return paths, _fingerprint(credentials.read_private(paths[0]) or b"")


def _make(names: list[str]) -> tuple[bytes, bytes]:
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise MissingExtraError("tls", "--tls-self-signed") from error
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.timezone.utc)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ml-logger")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName([_name(x509, name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM), private


def _name(x509: Any, name: str) -> Any:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return x509.DNSName(name)


def _fingerprint(pem: bytes) -> str:
    import ssl

    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).hexdigest()
