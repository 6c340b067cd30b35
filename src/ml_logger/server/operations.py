"""`/healthz`, `/readyz` and `/metrics`: what operations ask. Knows no runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import structs
from prometheus_client import CollectorRegistry, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ml_logger.server.bodies import json_response
from ml_logger.server.site import Site


async def healthz(request: Request) -> Response:
    """Answer as long as the process does."""
    del request
    return json_response({"ok": True})


async def readyz(request: Request) -> Response:
    """Answer 200 as long as what is sent would be made durable, else 503."""
    site: Site = request.app.state.site
    reason = "stopping" if site.stopping else "" if site.ingest.is_ready else "batches cannot be made durable now"
    response = json_response({"ready": not reason, "reason": reason}, 503 if reason else 200)
    if reason:
        response.headers["retry-after"] = "5"
    return response


async def metrics(request: Request) -> Response:
    """Send counters in Prometheus's text format."""
    site: Site = request.app.state.site
    registry = CollectorRegistry()
    registry.register(_Numbers(site))
    return PlainTextResponse(exposition.generate_latest(registry), media_type=exposition.CONTENT_TYPE_PLAIN_0_0_4)


class _Numbers(Collector):
    """Reads the counters where they are kept."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def collect(self) -> Iterable[Metric]:
        site = self.site
        for name, value in structs.asdict(site.ingest.counters).items():
            yield _counter(f"ml_logger_ingest_{name}", f"{name.replace('_', ' ')} of POST /v1/ingest", value)
        yield _gauge("ml_logger_ingest_queued_bytes", "bytes of batches that wait to be committed", site.ingest.queued_bytes)
        yield _gauge("ml_logger_ready", "1 as long as batches are made durable", float(site.ingest.is_ready))
        yield _gauge("ml_logger_streams", "open event streams", site.feed.streams)
        yield _counter("ml_logger_refused_tokens", "requests with a bad token or none", site.gate.failures)
        yield _counter("ml_logger_audit_lost", "audit lines that could not be written", site.audit.lost)
        yield from self._requests()

    def _requests(self) -> Iterator[Metric]:
        family = CounterMetricFamily("ml_logger_requests", "answered requests", labels=["route", "status"])
        for (route, status), count in sorted(self.site.requests.items()):
            family.add_metric([route, str(status)], count)
        yield family


def _counter(name: str, text: str, value: float) -> Metric:
    family = CounterMetricFamily(name, text)
    family.add_metric([], value)
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value)
