"""Answers straight from run directories: rows, parameters, records, files, globs, views, logs."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from ml_logger.errors import InvalidKeyError, NotFoundError
from ml_logger.formats import messages
from ml_logger.queries import Glob, ListFiles, ReadLog, ReadParams, ReadRecords, ReadRows, SearchRuns
from ml_logger.query import direct
from ml_logger.safe_fs import SafeRoot

Write = Callable[..., Any]
ROWS = [{"step": 0, "loss": 0.5, "note": "a"}, {"step": 1, "loss": math.nan}, {"step": 2, "acc": True, "big": 1 << 70}]


def rows(root: SafeRoot, path: str, **more: Any) -> list[dict[str, Any]]:
    (table,) = direct.answer(root, ReadRows(path, **more)).tables
    return table.rows


def test_rows_are_what_was_logged(root: SafeRoot, write_run: Write) -> None:
    write_run("a/run", rows=ROWS)
    found = rows(root, "a/run/metrics.pkl")
    assert [list(row) for row in found] == [list(row) for row in ROWS]
    assert found[0] == ROWS[0]
    assert math.isnan(found[1]["loss"])
    assert found[2] == ROWS[2]
    assert rows(root, "/a/run/metrics.pkl", start=1, stop=2)[0]["step"] == 1
    assert rows(root, "a/run/metrics.pkl", keys=["acc", "step"]) == [{"step": 0}, {"step": 1}, {"step": 2, "acc": True}]
    assert rows(root, "a/run/metrics.pkl", keys=["acc"]) == [{"acc": True}]


def test_tables_attempts_ranks(root: SafeRoot, write_run: Write) -> None:
    write_run("r", rows=[{"x": 1}])
    write_run("r", rows=[{"x": 2}], attempt=1, created=2000.0)
    write_run("r", rows=[{"x": 3}], attempt=1, rank=1, created=2001.0)
    write_run("r", rows=[{"y": 4}], attempt=1, table="eval/metrics.pkl", created=2002.0)
    assert rows(root, "r/metrics.pkl") == [{"x": 2}, {"x": 3}]
    assert rows(root, "r/metrics.pkl", rank=1) == [{"x": 3}]
    assert rows(root, "r/metrics.pkl", attempt=0) == [{"x": 1}]
    assert rows(root, "r/eval/metrics.pkl") == [{"y": 4}]
    with pytest.raises(NotFoundError):
        rows(root, "r/other.pkl")
    with pytest.raises(NotFoundError):
        rows(root, "nothing/metrics.pkl")
    with pytest.raises(InvalidKeyError):
        rows(root, "../r/metrics.pkl")


def test_globs_over_runs(root: SafeRoot, write_run: Write) -> None:
    for name in ("b", "a", "c"):
        write_run(f"sweep/{name}", rows=[{"x": name}], params={"Args": {"lr": 0.1, "name": name}})
    tables = direct.answer(root, ReadRows("sweep/*/metrics.pkl")).tables
    assert [(t.path, t.rows) for t in tables] == [(f"sweep/{n}/metrics.pkl", [{"x": n}]) for n in "abc"]
    found = direct.answer(root, ReadParams("**/parameters.pkl")).runs
    assert found == {f"sweep/{n}": {"Args": {"lr": 0.1, "name": n}} for n in "abc"}
    assert direct.answer(root, ReadParams("sweep/a/parameters.pkl")).runs["sweep/a"]["Args"]["name"] == "a"
    assert direct.answer(root, ReadRows("nothing/*/metrics.pkl")).tables == []
    with pytest.raises(NotFoundError):
        direct.answer(root, ReadParams("sweep/parameters.pkl"))


def test_glob_sees_views_and_files(root: SafeRoot, write_run: Write) -> None:
    write_run("a", rows=[{"x": 1}], params={"p": 1})
    root.write_bytes("a/figures/one.png", b"1")
    root.write_bytes("a/figures/deep/two.png", b"2")
    assert direct.answer(root, Glob("*.pkl", "a")).keys == ["metrics.pkl", "parameters.pkl"]
    assert direct.answer(root, Glob("**/*.png", "a")).keys == ["figures/deep/two.png", "figures/one.png"]
    assert direct.answer(root, Glob("*/metrics.pkl")).keys == ["a/metrics.pkl"]
    assert direct.answer(root, Glob("*", "a")).keys == ["figures", "metrics.pkl", "parameters.pkl", "run.json"]
    assert direct.answer(root, Glob("**/*.png", "a", stop=1)).keys == ["figures/deep/two.png"]
    assert direct.answer(root, Glob("*", "missing")).keys is None
    assert direct.answer(root, Glob("*.mlog", "a")).keys == []


def test_listing_knows_runs_views_and_media(root: SafeRoot, write_run: Write) -> None:
    picture = messages.File("x/a/img/final.png", "ab" * 32, 3, 1.0, 7, "image", meta={"key": "sample"})
    write_run("x/a", rows=[{"x": 1}], extra=[picture])
    write_run("x/a", rows=[{"x": 1}], table="eval/metrics.pkl")
    root.write_bytes("x/a/img/final.png", b"123")
    root.write_bytes("x/a/img/000100.png", b"1")
    (folder,) = direct.answer(root, ListFiles("x")).entries
    assert (folder.path, folder.is_dir, folder.run) == ("x/a", True, True)
    listed = direct.answer(root, ListFiles("x/a")).entries
    assert [(e.name, e.kind) for e in listed] == [
        ("eval", "directory"),
        ("img", "directory"),
        ("metrics.pkl", "view"),
        ("run.json", "file"),
    ]
    images = direct.answer(root, ListFiles("x/a/img")).entries
    assert [(e.name, e.step, e.kind, e.meta) for e in images] == [
        ("000100.png", 100, "image", {}),
        ("final.png", 7, "image", {"key": "sample"}),
    ]
    everything = direct.answer(root, ListFiles("x", recursive=True, limit=3))
    assert everything.more
    assert len(everything.entries) == 3
    assert everything.total is None
    assert direct.answer(root, ListFiles("")).entries[0].name == "x"
    whole = direct.answer(root, ListFiles("x/a")).entries
    pages = [direct.answer(root, ListFiles("x/a", start=start, limit=2)) for start in range(0, len(whole) + 2, 2)]
    assert [entry for page in pages for entry in page.entries] == whole
    assert [page.more for page in pages] == [2 * (at + 1) < len(whole) for at in range(len(pages))]
    assert {page.total for page in pages} == {len(whole)}
    rest = direct.answer(root, ListFiles("x", recursive=True, start=3))
    assert rest.total == 3 + len(rest.entries)


def test_views_are_files_to_a_reader(root: SafeRoot, write_run: Write) -> None:
    write_run("a", rows=ROWS, params={"p": {"q": 1}})
    lines = b"".join(direct.read(root, "a/metrics.jsonl")).splitlines()
    assert [json.loads(line) for line in lines][1]["loss"] == {"$f": "nan"}
    table = list(csv.DictReader(io.StringIO(b"".join(direct.read(root, "a/metrics.csv")).decode())))
    assert [row["loss"] for row in table] == ["0.5", "nan", ""]
    assert list(table[0]) == ["step", "loss", "note", "acc", "big"]
    whole = b"".join(direct.read(root, "a/metrics.csv"))
    assert b"".join(direct.read(root, "a/metrics.csv", 3, 9)) == whole[3:9]
    assert json.loads(b"".join(direct.read(root, "a/parameters.jsonl"))) == {"p": {"q": 1}}
    for missing in ("a/metrics.txt", "a/other.csv", "a", "b/metrics.pkl"):
        with pytest.raises(NotFoundError):
            direct.read(root, missing)


def test_files_are_streamed_in_part(root: SafeRoot) -> None:
    root.write_bytes("f.bin", bytes(range(256)))
    assert b"".join(direct.read(root, "f.bin", 10, 20)) == bytes(range(10, 20))
    assert b"".join(direct.read(root, "f.bin", 250)) == bytes(range(250, 256))
    assert b"".join(direct.read(root, "f.bin", 300)) == b""


def test_records_are_one_entry_a_call(root: SafeRoot, write_run: Write) -> None:
    write_run("a", rows=ROWS, params={"p": 1}, extra=[messages.Text("hi\n", "a/outputs.log", False, 9.0), messages.End(10.0)])
    page = direct.answer(root, ReadRecords("a"))
    assert [entry.kind for entry in page.records] == ["params", "row", "row", "row", "text"]
    first = page.records[1]
    assert (first.data, first.row, first.step, first.t, first.table) == (ROWS[0], 0, 0, 1000.0, "metrics.pkl")
    assert page.records[3].data["big"] == 1 << 70
    assert page.records[4].data == {"text": "hi\n", "path": "a/outputs.log", "overwrite": False}
    part = direct.answer(root, ReadRecords("a", limit=2))
    assert part.more
    rest = direct.answer(root, ReadRecords("a", since=part.records[-1].seq + 1))
    assert [e.seq for e in part.records + rest.records] == [e.seq for e in page.records]
    with pytest.raises(NotFoundError):
        direct.answer(root, ReadRecords("b"))


def test_log_pages(root: SafeRoot) -> None:
    root.write_bytes("a/outputs.log", b"one\ntwo\nthree\n")
    assert direct.answer(root, ReadLog("a/outputs.log", start=-1, limit=2)).lines == ["two", "three"]
    root.append("a/outputs.log", b"four\n")
    assert direct.answer(root, ReadLog("a/outputs.log", match="^t")).numbers == [1, 2]
    with pytest.raises(NotFoundError):
        direct.answer(root, ReadLog("a/none.log"))


def test_what_needs_an_index_is_said() -> None:
    assert direct.can_answer(ReadRows("x"))
    assert not direct.can_answer(SearchRuns())


def test_files_of_earlier_versions_are_read_in_place(root: SafeRoot) -> None:
    rows_before = [{"step": 0, "loss": 0.5}, {"step": 1, "loss": 0.25}]
    root.write_bytes("old/metrics.pkl", b"".join(pickle.dumps(row, 4) for row in rows_before) + b"\x80\x04cut off")
    root.write_bytes("old/parameters.pkl", pickle.dumps({"Args": {"lr": 1}}) + pickle.dumps({"Args": {"seed": 2}}))
    root.write_bytes("old/log.jsonl", b'{"a": 1}\n// a comment\n{"a": 2}\n')
    assert rows(root, "old/metrics.pkl") == rows_before
    assert rows(root, "old/log.jsonl") == [{"a": 1}, {"a": 2}]
    assert direct.answer(root, ReadParams("old/parameters.pkl")).runs == {"old": {"Args": {"lr": 1, "seed": 2}}}
    assert b"".join(direct.read(root, "old/metrics.jsonl")).count(b"\n") == 2


def test_the_pickle_view_is_a_stream_of_plain_dicts(root: SafeRoot, write_run: Write) -> None:
    write_run("a", rows=ROWS)
    stream = io.BytesIO(b"".join(direct.read(root, "a/metrics.pkl")))
    assert pickle.load(stream) == ROWS[0]
    assert math.isnan(pickle.load(stream)["loss"])
    assert pickle.load(stream) == ROWS[2]
