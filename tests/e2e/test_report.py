"""A report: written in the browser, kept by the server, and taken along as one file that needs neither server nor script."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.charts import drawn

pytestmark = pytest.mark.browser

TEXT = """# What we saw <script>document.title = 'pwned'</script>

The loss falls as $1/(1+t)$.

```chart
train/loss
```

![a picture](nowhere.png) and [the runs](run-01)
"""


def test_a_report_is_saved_and_exported_as_one_file(visit: Any, chromium: Browser, tmp_path: Path) -> None:
    visit.expected = ("404",)  # the picture that is not there
    page = visit("/r/team/sweep?test&tab=report&x=eval%2Facc")
    page.get_by_role("button", name="Write a report").click()
    page.get_by_role("textbox", name="Report").fill(TEXT)
    page.get_by_role("button", name="Save report").click()
    expect(page.get_by_role("textbox", name="Report")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("article").get_by_role("heading", level=1)).to_contain_text("What we saw <script>")
    drawn(page, "train/loss", lambda found: len(found["runs"]) == 12)
    expect(page.locator("article math")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export HTML").click()
    file = tmp_path / "report.html"
    download.value.save_as(file)
    assert download.value.suggested_filename == "sweep.html"

    alone = chromium.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    requests: list[str] = []
    opened = alone.new_page()
    opened.on("request", lambda request: requests.append(request.url))
    opened.goto(file.as_uri())
    article = opened.get_by_role("article")
    expect(article.get_by_role("heading", level=1)).to_contain_text("What we saw <script>")
    expect(article.locator("math")).to_have_count(1)
    expect(article.locator("figure svg path[stroke-width='1.5']")).to_have_count(12)
    expect(article.locator("figure svg text", has_text="run-04")).to_have_count(1)
    expect(article.locator("figure svg text", has_text="eval/acc")).to_have_count(1)  # the axis that the report was written with
    expect(article.locator("figcaption")).to_contain_text(re.compile(r"n=600 min=0\.02 max=12"))
    expect(article).to_contain_text("a picture")
    assert requests == [file.as_uri()]
    assert opened.locator("script").count() == 0
    assert opened.locator("article a").first.get_attribute("href") == f"{visit.url}/r/team/sweep/run-01"
    if folder := os.environ.get("ML_LOGGER_SHOTS"):
        opened.screenshot(path=str(Path(folder) / "report-file.png"))
        page.screenshot(path=str(Path(folder) / "report.png"))
    alone.close()
    page.get_by_role("button", name="Edit report").click()
    page.get_by_role("textbox", name="Report").fill("")
    page.get_by_role("button", name="Save report").click()
    expect(page.get_by_role("button", name="Write a report")).to_be_visible()


def test_two_people_who_write_one_report_lose_nothing(visit: Any) -> None:
    visit.expected = ("409",)  # the answer to whoever saves second
    mine, theirs = visit("/r/team?tab=report"), visit("/r/team?tab=report")
    for page, text in ((mine, "# Mine"), (theirs, "# Theirs")):
        page.get_by_role("button", name="Write a report").click()
        page.get_by_role("textbox", name="Report").fill(text)
    theirs.get_by_role("button", name="Save report").click()
    expect(theirs.get_by_role("heading", name="Theirs")).to_be_visible()
    expect(theirs.get_by_role("textbox", name="Report")).to_have_count(0)
    mine.get_by_role("button", name="Save report").click()
    alert = mine.get_by_role("alert")
    expect(alert).to_contain_text("Someone else changed this report")
    alert.get_by_text("Their version").click()
    expect(alert).to_contain_text("# Theirs")
    expect(mine.get_by_role("textbox", name="Report")).to_have_value("# Mine")
    alert.get_by_role("button", name="Save mine over theirs").click()
    expect(mine.get_by_role("textbox", name="Report")).to_have_count(0)
    theirs.reload()
    expect(theirs.get_by_role("heading", name="Mine")).to_be_visible()
    theirs.get_by_role("button", name="Edit report").click()
    theirs.get_by_role("textbox", name="Report").fill("")
    theirs.get_by_role("button", name="Save report").click()
    expect(theirs.get_by_role("button", name="Write a report")).to_be_visible()


README = """
import sys
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="told/run")
run.log(step=0, loss=1.0, silent=True)
run.log_text("# What it shows", "README.md", overwrite=True)
run.close()
"""


def test_a_runs_readme_is_shown_once(sweep: Any, visit: Any) -> None:
    subprocess.run([sys.executable, "-c", README, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    page = visit("/r/told/run?tab=report")
    heading = page.get_by_role("heading", name="What it shows")
    expect(page.get_by_role("tabpanel").get_by_role("heading", name="What it shows")).to_be_visible()
    expect(page.get_by_label("Run details")).to_contain_text("Parameters")
    expect(heading).to_have_count(1)
    page.get_by_role("tab", name="Charts").click()
    expect(page.get_by_label("Run details").get_by_role("heading", name="What it shows")).to_be_visible()
    expect(heading).to_have_count(1)
