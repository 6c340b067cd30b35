"""Headers that every answer carries, and the policies for the page and for what users uploaded. Knows no routes.

A user's file is shown under `sandbox`: its document has the origin `null`, so it reads no cookie, no page and no API.
"""

from __future__ import annotations

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; frame-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
)
API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
CONTENT_POLICY = (
    "sandbox; default-src 'none'; img-src data: blob:; media-src data: blob:; style-src 'unsafe-inline'; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
EMBED_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; img-src data: blob:; media-src data: blob:; "
    "style-src 'unsafe-inline'; font-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

ALWAYS = {
    "content-security-policy": API_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "SAMEORIGIN",
    "cache-control": "no-store",
    "server": "ml-logger",
}
"""Set where the handler set nothing else."""

TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif",
    "bmp": "image/bmp", "svg": "image/svg+xml", "mp4": "video/mp4", "webm": "video/webm", "mov": "video/quicktime", "ogv": "video/ogg",
    "wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg", "flac": "audio/flac", "pdf": "application/pdf",
}  # fmt: skip
TEXT = frozenset({
    "txt", "log", "md", "rst", "json", "jsonl", "yaml", "yml", "toml", "ini", "cfg", "csv", "tsv", "py", "ipynb", "sh",
    "c", "h", "cpp", "rs", "js", "ts", "css", "tex", "bib", "out", "err", "diff", "patch", "xml",
})  # fmt: skip


def content_type(name: str) -> tuple[str, bool]:
    """Return (media type, may be shown in place) for a file's name; everything not listed is an attachment."""
    extension = name.rpartition(".")[2].lower()
    if extension in TYPES:
        return TYPES[extension], True
    return ("text/plain; charset=utf-8", True) if extension in TEXT else ("application/octet-stream", False)


def complete(headers: list[tuple[bytes, bytes]], *, secure: bool) -> list[tuple[bytes, bytes]]:
    """Return `headers` with those that every answer carries; `secure` adds HSTS."""
    have = {name.lower() for name, _ in headers}
    extra = [(name.encode(), value.encode()) for name, value in ALWAYS.items() if name.encode() not in have]
    if secure:
        extra.append((b"strict-transport-security", b"max-age=31536000"))
    return headers + extra
