"""Limits of what one request, one client and all of them together may cost. Knows nothing of how they are held."""

from __future__ import annotations

from msgspec import Struct


class Bounds(Struct, frozen=True):
    """Sizes in bytes, times in seconds, rates per second."""

    json_body: int = 1 << 20
    """Body of a question or a command."""
    file: int = 5 << 30
    header_timeout_s: float = 10.0
    """For the head of a request, and for the next request on a connection that is kept."""
    header_bytes: int = 16 << 10
    body_grace_s: float = 10.0
    body_rate: int = 16 << 10
    """A body must come at this rate after the grace."""
    send_timeout_s: float = 10.0
    """For a client to take the next piece of an answer."""
    piece: int = 64 << 10
    """An answer is sent in pieces of this size."""
    connections: int = 2000
    streams: int = 200
    """Event streams open at once."""
    rate: float = 1000.0
    burst: float = 2000.0
    """Requests of one minted token, batches apart."""
    bad_tokens_per_minute: int = 20
    bad_token_delay_s: float = 0.05
    query_threads: int = 4
    drain_s: float = 4.0
    """How long requests under way may go on after SIGTERM."""
