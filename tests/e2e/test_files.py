"""Previews of what runs leave behind: each kind in its own way, and nothing is run."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

KINDS = """
import sys
from pathlib import Path
import numpy as np
import polars
from ml_logger import ML_Logger
run = ML_Logger(root=sys.argv[1], prefix="kinds/run", silent=True)
run.log(step=0, loss=1.0)
run.log_text("import os\\n\\n# why\\ndef main(x: int) -> str:\\n    return '<b>' + str(x)\\n", "code/train.py", overwrite=True)
run.log_text('{"a": [1, {"b": null}]}', "conf.json", overwrite=True)
run.log_text("model:\\n  hidden: 64 # units\\n", "conf.yaml", overwrite=True)
run.log_text("# Read me\\n\\n[the run](run) and [a table](table.csv)\\n", "README.md", overwrite=True)
folder = Path(sys.argv[1], "kinds")
(folder / "README.md").write_text("# The folder\\n\\nSee [the run](run).\\n")
frame = polars.DataFrame({"step": range(5000), "loss": [1 / (k + 1) for k in range(5000)], "name": [f"n{k}" for k in range(5000)]})
for compression in ("zstd", "snappy", "gzip", "lz4", "brotli"):
    frame.write_parquet(folder / "run" / f"{compression}.parquet", compression=compression)
(folder / "run" / "broken.parquet").write_bytes(b"PAR1 not at all")
pdf = b"%PDF-1.4\\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\\n"
pdf += b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\\ntrailer<</Root 1 0 R>>"
(folder / "run" / "fig.pdf").write_bytes(pdf)
bad = folder / "run" / "bad"
bad.mkdir()
run.save_np(np.zeros(4), "whole.npy")
picture = np.random.default_rng(0).integers(0, 255, (96, 64, 3)).astype("uint8")
run.save_image(picture, "small.png")
run.save_video([picture] * 10, "small.mp4", fps=10)
run.flush()
(bad / "empty.png").write_bytes(b"")
(bad / "empty.parquet").write_bytes(b"")
(bad / "cut.png").write_bytes((folder / "run" / "small.png").read_bytes()[:900])
(bad / "no.png").write_bytes(b"no picture")
(bad / "no.mp4").write_bytes(b"no video" * 50)
(bad / "cut.json").write_text('{"a": [1, 2,')
(bad / "latin.txt").write_bytes(b"first\\ncaf\\xe9\\n")
(bad / "wide.csv").write_text("\\n".join(["1," * 119 + "1"] * 300))
(bad / "cut.npy").write_bytes((folder / "run" / "whole.npy").read_bytes()[:-24])
(bad / "no.pkl").write_bytes(b"\\x80\\x04garbage")
(bad / "odd.md").write_text("# Odd [link](\\n\\n$\\\\frac{$ <b>x\\n\\n| a |\\n|--\\n")
run.flush()
"""


@pytest.fixture(scope="module")
def kinds(sweep: Any) -> Any:
    """The sweep's server with a run of files in kinds/run."""
    subprocess.run([sys.executable, "-c", KINDS, str(sweep.data_dir)], env=sweep.env, check=True, capture_output=True)
    return sweep


def open_file(kinds: Any, visit: Any, name: str, **more: Any) -> Page:
    del kinds
    page: Page = visit(f"/r/kinds/run?tab=files&file=kinds/run/{name}", **more)
    expect(page.get_by_role("heading", name=name.rpartition("/")[2])).to_be_visible(timeout=30_000)
    return page


def test_the_address_opens_folders_down_to_the_file(kinds: Any, visit: Any) -> None:
    page = open_file(kinds, visit, "code/train.py", permissions=["clipboard-read", "clipboard-write"])
    item = page.get_by_role("treeitem", name="train.py")
    expect(item).to_have_attribute("aria-selected", "true")
    code = page.get_by_role("region", name="Files").locator("pre")
    expect(code).to_contain_text("return '<b>' + str(x)")
    expect(code.locator("[data-kind=keyword]").first).to_have_text("import")
    expect(code.locator("[data-kind=comment]")).to_have_text("# why")
    expect(page.get_by_text("1\n2\n3\n4\n5", exact=True)).to_be_visible()
    page.get_by_role("button", name="Copy logger.load_text").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == 'logger.load_text("/kinds/run/code/train.py")'
    page.get_by_role("treeitem", name="conf.json").click()
    page.wait_for_url("**conf.json*")
    expect(code).to_contain_text('"b": null')
    page.get_by_role("treeitem", name="conf.yaml").click()
    expect(code.locator("[data-kind=attr]").first).to_have_text("model:")


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "lz4", "brotli"])
def test_parquet_is_read_by_ranges(kinds: Any, visit: Any, compression: str) -> None:
    page = open_file(kinds, visit, f"{compression}.parquet")
    expect(page.get_by_text("5,000 rows × 3 columns, the first 100")).to_be_visible()
    expect(page.get_by_role("columnheader", name="loss double")).to_be_visible()
    expect(page.get_by_role("cell", name="n99", exact=True)).to_be_attached()
    expect(page.get_by_role("cell", name="0.25", exact=True)).to_be_attached()


def test_what_cannot_be_read_says_so(kinds: Any, visit: Any) -> None:
    visit.expected = ("chrome-extension://", "chrome://")  # the browser's own viewer
    page = open_file(kinds, visit, "broken.parquet")
    expect(page.get_by_text("Not read as Parquet")).to_be_visible()
    page.get_by_role("treeitem", name="fig.pdf").click()
    frame = page.locator("iframe[title='fig.pdf']")
    expect(frame).to_be_visible()
    assert frame.get_attribute("sandbox") is None
    policy = page.evaluate(
        "src => fetch(src, {headers: {'X-MLL': '1'}}).then(r => r.headers.get('content-security-policy'))", frame.get_attribute("src")
    )
    assert policy.startswith("sandbox; default-src 'none'")


BAD = {
    "empty.png": "The file is empty: it has 0 bytes.",
    "empty.parquet": "The file is empty: it has 0 bytes.",
    "cut.png": "cut.png is not a picture that this browser can show, or is broken off: it has 900 B.",
    "no.png": "no.png is not a picture that this browser can show, or is broken off: it has 10 B.",
    "no.mp4": "no.mp4 is not a video that this browser can show, or is broken off: it has 400 B.",
    "cut.json": "Not JSON: ",
    "latin.txt": "Not UTF-8: bytes that are no text stand as \N{REPLACEMENT CHARACTER}, first in line 2.",
    "wide.csv": "Shown are the first 200 rows and the first 100 of 120 columns.",
    "cut.npy": "Broken off: 24 B of its values are missing.",
    "no.pkl": "Broken off: it ends in the middle of a value.",
    "odd.md": "Odd [link](",
}


def test_a_file_that_is_not_what_its_name_says_is_told(kinds: Any, visit: Any) -> None:
    page = open_file(kinds, visit, "bad/empty.png")
    for name, told in BAD.items():
        page.get_by_role("treeitem", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        expect(page.get_by_text(told)).to_be_visible()
    expect(page.get_by_role("tab", name="Files")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(("name", "role"), [("small.png", "img"), ("small.mp4", "video")])
def test_a_small_picture_is_enlarged_a_whole_number_of_times(kinds: Any, visit: Any, name: str, role: str) -> None:
    page = open_file(kinds, visit, name)
    expect(page.get_by_text("64 × 96, shown 5 times as large")).to_be_visible()
    box = page.locator(f"{role}[class*=picture]").bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (320, 480)


def test_the_chosen_file_is_in_sight(kinds: Any, visit: Any) -> None:
    page = open_file(kinds, visit, "zstd.parquet", size=(1280, 400))
    expect(page.get_by_role("treeitem", name="zstd.parquet")).to_be_in_viewport()


def test_a_readme_is_shown_where_no_file_is_chosen(kinds: Any, visit: Any) -> None:
    del kinds
    page = visit("/r/kinds?tab=files")
    readme = page.get_by_role("article", name="README.md")
    expect(readme.get_by_role("heading", name="The folder")).to_be_visible(timeout=30_000)
    assert readme.get_by_role("link", name="the run").get_attribute("href") == "/r/kinds/run"
    page.goto(visit.url + "/r/kinds/run?tab=files")
    expect(readme.get_by_role("heading", name="Read me")).to_be_visible()
    assert readme.get_by_role("link", name="a table").get_attribute("href") == "/v1/files/kinds/run/table.csv"
    page.goto(visit.url + "/r/kinds/run?tab=files&file=kinds/run/gone.txt")
    expect(page.get_by_text("kinds/run/gone.txt is not there.")).to_be_visible()


def test_a_large_folder_is_listed_by_pages(sweep: Any, visit: Any) -> None:
    folder = sweep.data_dir / "large" / "folder"
    folder.mkdir(parents=True)
    for number in range(2100):
        (folder / f"{number:05}.txt").write_text("x")
    page = visit("/r/large/folder?tab=files")
    more = page.get_by_role("treeitem", name="Load more: ")
    expect(more).to_have_text("Load more: 1,000 of 2,100 are listed")
    page.get_by_role("treeitem", name="00000.txt").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(more).to_have_text("Load more: 2,000 of 2,100 are listed")
    page.keyboard.press("Enter")
    expect(page.get_by_role("treeitem")).to_have_count(2100)
    page.get_by_role("treeitem", name="02099.txt").click()
    expect(page.get_by_role("heading", name="02099.txt")).to_be_visible()
