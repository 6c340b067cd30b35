"""What a run's files may do in a browser: show themselves, and nothing else. With real Chromium and a cookie worth stealing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

SCRIPT = """
const say = (what, value) => console.log('PROBE ' + what + ' ' + value);
say('ran', 'yes');
try { say('cookie', document.cookie || 'empty'); } catch (e) { say('cookie', e.name); }
try { say('parent', parent.document.title); } catch (e) { say('parent', e.name); }
say('origin', self.origin);
fetch('/v1/offsets').then(r => say('fetch', r.status), e => say('fetch', e.name));
new Image().src = '/v1/offsets?stolen=1';
"""
HTML = f"<!doctype html><h1>plot</h1><script>{SCRIPT}</script>"
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10" onload="console.log(\'PROBE svg\')"><script>{SCRIPT}</script><rect width="10" height="10"/></svg>'  # noqa: E501
SNIFFED = {
    "page.txt": HTML,
    "page.png": HTML,
    "page.csv": HTML,
    "page.bin": HTML,
    "page.md": HTML,
    "page.json": HTML,
    "page.xhtml": HTML,
    "page.xml": SVG,
    "x.svg": SVG,
    "page.html": HTML,
}


@pytest.fixture
def browser(playwright_session: Any) -> Iterator[Any]:
    found = playwright_session.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
    yield found
    found.close()


@pytest.fixture
def page(browser: Any, new_server: Any) -> Any:
    """Return a page that is signed in, and its server in `page.server`."""
    server = new_server()
    (server.data_dir / "run").mkdir()
    for name, text in SNIFFED.items():
        (server.data_dir / "run" / name).write_text(text)
    page = browser.new_context(accept_downloads=True).new_page()
    page.probes = []
    page.on("console", lambda message: page.probes.append(message.text) if message.text.startswith("PROBE") else None)
    page.server = server
    base = f"http://localhost:{server.port}"
    page.goto(f"{base}/")
    code = server.output.partition("#code=")[2].split()[0]
    page.evaluate(
        "code => fetch('/v1/session', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({code})})", code
    )
    assert page.evaluate("() => fetch('/v1/offsets').then(r => r.status)") == 200
    page.base = base
    return page


def test_nothing_runs_where_it_is_opened(page: Any) -> None:
    for name in SNIFFED:
        try:
            page.goto(f"{page.base}/v1/files/run/{name}", wait_until="load", timeout=5000)
        except playwright.Error as error:
            assert "Download" in str(error) or "ERR_ABORTED" in str(error), error  # noqa: PT017
        page.wait_for_timeout(100)
    assert page.probes == []


def test_a_plot_runs_in_its_frame_and_gets_nothing(page: Any) -> None:
    page.goto(f"{page.base}/r/run")
    page.evaluate(
        "src => { const f = document.createElement('iframe'); f.sandbox = 'allow-scripts'; f.src = src; document.body.append(f); }",
        "/v1/files/run/page.html?embed",
    )
    page.wait_for_timeout(1500)
    found = {line.split()[1]: line.split()[2] for line in page.probes}
    assert found["ran"] == "yes", "the frame may show an interactive plot"
    assert found["cookie"] == "SecurityError"
    assert found["parent"] == "SecurityError"
    assert found["origin"] == "null"
    assert found["fetch"] == "TypeError"
    assert 'route="offsets",status="200"} 1.0' in metrics(page), "only the request of the test itself came through"


def test_a_frame_without_sandbox_gets_nothing_either(page: Any) -> None:
    """The header alone holds, also where the attribute was forgotten."""
    page.goto(f"{page.base}/r/run")
    page.evaluate(
        "src => { const f = document.createElement('iframe'); f.src = src; document.body.append(f); }", "/v1/files/run/page.html?embed"
    )
    page.wait_for_timeout(1500)
    found = {line.split()[1]: line.split()[2] for line in page.probes}
    assert found["ran"] == "yes"
    assert found["cookie"] == "SecurityError"
    assert found["parent"] == "SecurityError"
    assert found["fetch"] == "TypeError"


def test_pictures_do_not_run(page: Any) -> None:
    page.goto(f"{page.base}/r/run")
    page.evaluate(
        "src => { const i = new Image(); i.src = src; document.body.append(i); return i.decode().catch(() => 0); }", "/v1/files/run/x.svg"
    )
    page.evaluate("src => { const o = document.createElement('object'); o.data = src; document.body.append(o); }", "/v1/files/run/x.svg")
    page.evaluate("src => { const s = document.createElement('script'); s.src = src; document.body.append(s); }", "/v1/files/run/page.txt")
    page.wait_for_timeout(500)
    assert page.probes == []


def test_another_site_gets_nothing(browser: Any, new_server: Any) -> None:
    """A page of another origin (here: another port) with the user's browser: reads, posts and embeds are refused, without tokens too."""
    victim, evil = new_server("victim", "--no-auth"), new_server("evil", "--no-auth")
    (victim.data_dir / "run").mkdir()
    (victim.data_dir / "run" / "a.txt").write_text("secret")
    page = browser.new_context(bypass_csp=True).new_page()
    page.goto(f"http://localhost:{evil.port}/healthz")
    assert page.evaluate("() => fetch('/healthz').then(r => r.status)") == 200, "its own policy does not hold it back"
    target = f"http://localhost:{victim.port}"
    script = """async target => {
        const attempt = (path, init) => fetch(target + path, init).then(r => r.type + r.status, () => 'refused');
        return [
            await attempt('/v1/files/run/a.txt'), await attempt('/v1/files/run/a.txt', {mode: 'no-cors'}), await attempt('/v1/live'),
            await attempt('/v1/command', {method: 'POST', mode: 'no-cors', body: '{"type":"trash","paths":["run"]}'}),
            await attempt('/v1/command', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"type":"trash","paths":["run"]}'}),
            await attempt('/v1/files/run/b', {method: 'PUT', body: 'x'}),
        ];
    }"""  # noqa: E501
    found = page.evaluate(script, target)
    assert all(result == "refused" or result == "opaque0" for result in found), found
    assert sorted(path.name for path in (victim.data_dir / "run").iterdir()) == ["a.txt"]


def metrics(page: Any) -> str:
    return page.evaluate("() => fetch('/metrics').then(r => r.text())")
