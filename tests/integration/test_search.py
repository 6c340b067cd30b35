"""The search language over HTTP: every form that its page shows finds what it says, mistakes are answered 400 with the place."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_logger import ML_Logger

PAGE = Path(__file__).parents[2] / "docs/reference/search.md"


def log_run(root: Path, name: str, losses: list[float], acc: float, **params: Any) -> None:
    logger = ML_Logger(f"lab/{name}", root=root)
    logger.log_params(Args=params, silent=True)
    for step, loss in enumerate(losses):
        logger.log(step=step * 1000, loss=loss, silent=True, **{"eval/acc": acc * min(1, step / 20)})
    logger.close()


class Search:
    """Asks one server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = urllib3.PoolManager(headers={"Content-Type": "application/json"})

    def post(self, question: dict[str, Any], route: str = "query") -> tuple[int, Any]:
        answer = self.http.request("POST", f"{self.url}/v1/{route}", body=json.dumps(question), timeout=30)
        return answer.status, json.loads(answer.data)

    def __call__(self, q: str) -> list[str]:
        status, page = self.post({"type": "search_runs", "q": q})
        assert status == 200, (q, page)
        return [row["name"] for row in page["rows"]]


@pytest.fixture(scope="module")
def search(make_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """Four runs whose curves differ: falling, exploding, with one spike, level."""
    servers = make_server(tmp_path_factory.mktemp("search"), "--no-auth")
    server = next(servers)
    root = server.data_dir
    fall = [5.0 * 0.9**step for step in range(60)]
    log_run(root, "ppo-fall", fall, 0.95, lr=1e-4, optimizer="adam", seed=1, model={"hidden": 64})
    log_run(root, "ppo-explode", [*fall[:40], *(fall[40] * 3.0**k for k in range(20))], 0.5, lr=1e-1, optimizer="sgd", seed=2)
    spiked = [1.0 + 0.01 * (step % 3) for step in range(60)]
    log_run(root, "sac-spike", [*spiked[:30], 50.0, *spiked[31:]], 0.92, lr=1e-3, optimizer="adam", seed=3, dropout=0.1)
    log_run(root, "sac-level", [*fall[:10], *[fall[10] + 0.0001 * (k % 2) for k in range(50)]], 0.3, lr=5e-4, optimizer="lion", seed=4)
    found = Search(server.url)
    for run, tag in (("ppo-fall", "baseline"), ("sac-level", "base line")):
        found.post({"type": "set_tags", "runs": [f"lab/{run}"], "add": [tag]}, "command")
    found.post({"type": "set_notes", "run": "lab/sac-spike", "text": "free text of a note"}, "command")
    end = time.monotonic() + 30
    while len(found("key:lab")) < 4 and time.monotonic() < end:
        time.sleep(0.1)
    yield found
    next(servers, None)


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("lr < 1e-3", ["ppo-fall", "sac-level"]),
        ("1e-4 < lr <= 1e-3", ["sac-spike", "sac-level"]),
        ("lr >= 5e-4 lr < 1%", ["sac-spike", "sac-level"]),
        ('optimizer == "adam" and eval/acc > 0.9', ["ppo-fall", "sac-spike"]),
        ("opt = adam", []),
        ("acc > 0.9 not dropout exists", ["ppo-fall"]),
        ("seed in [1, 3]", ["ppo-fall", "sac-spike"]),
        ("seed not in [1, 3]", ["ppo-explode", "sac-level"]),
        ("lr != 0.1 hidden exists", ["ppo-fall"]),
        ("dropout exists", ["sac-spike"]),
        ("has:dropout or has:hidden", ["ppo-fall", "sac-spike"]),
        ("tag:baseline", ["ppo-fall"]),
        ("tag:base*", ["ppo-fall", "sac-level"]),
        ('tag:"base line"', ["sac-level"]),
        ("name:/^ppo-.*/", ["ppo-fall", "ppo-explode"]),
        ('name ~ "e$"', ["ppo-explode", "sac-spike"]),
        ("name:sac*", ["sac-spike", "sac-level"]),
        ('"free text"', ["sac-spike"]),
        ("note adam", ["sac-spike"]),
        ("created:<1d", "all"),
        ("created:>2d", []),
        ("created:>2020-01-31", "all"),
        ("updated < 3h", "all"),
        ("duration < 2h status:completed", "all"),
        ("points > 100", "all"),
        ("writers = 1 attempts = 1", "all"),
        ("archived = true", []),
        ("loss.min < 0.05", ["ppo-fall"]),
        ("loss.max > 1k", ["ppo-explode"]),
        ("loss.argmax = 30k", ["sac-spike"]),
        ("loss.n = 60 loss.bad = 0", "all"),
        ("loss.first = 5", ["ppo-fall", "ppo-explode", "sac-level"]),
        ("loss.last_step >= 59000", "all"),
        ("loss diverged", ["ppo-explode"]),
        ("loss spiked", ["sac-spike", "ppo-explode"]),
        ("loss spiked > 5 sigma after 10k", ["sac-spike", "ppo-explode"]),
        ("loss spiked > 5 sigma after 35k", ["ppo-explode"]),
        ("loss plateaued not loss spiked", ["sac-level", "ppo-fall"]),
        ("(lr < 1e-3 or seed = 2) and not optimizer = lion", ["ppo-fall", "ppo-explode"]),
        ("optimizer in [adam, lion] acc < 0.5", ["sac-level"]),
    ],
)
def test_finds(search: Search, q: str, names: Any) -> None:
    everybody = ["ppo-explode", "ppo-fall", "sac-level", "sac-spike"]
    assert sorted(name for name in search(f"({q}) key:lab") if name in everybody) == (everybody if names == "all" else sorted(names))


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("sort:-eval/acc", ["ppo-fall", "sac-spike", "ppo-explode", "sac-level"]),
        ("sort:-`eval/acc`", ["ppo-fall", "sac-spike", "ppo-explode", "sac-level"]),
        ("sort:lr", ["ppo-fall", "sac-level", "sac-spike", "ppo-explode"]),
        ("sort:optimizer,-seed", ["sac-spike", "ppo-fall", "sac-level", "ppo-explode"]),
        ("sort:dropout,seed", ["sac-spike", "ppo-fall", "ppo-explode", "sac-level"]),
        ("sort:-hidden,-seed", ["ppo-fall", "sac-level", "sac-spike", "ppo-explode"]),
    ],
)
def test_sorts_and_puts_what_has_no_value_last(search: Search, order: str, names: list[str]) -> None:
    assert search(f"key:lab {order}") == names


def test_every_example_of_the_page_is_understood(search: Search) -> None:
    text = PAGE.read_text("utf-8")
    table = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    examples = [
        example
        for cell in table
        for example in re.findall(r"`([^`]+)`", cell)
        if not re.fullmatch(r"[<>=!~].*|(key|notes|host):…", example)
    ]
    examples += [next(line for line in text.splitlines() if line.startswith("lr < 1e-3 and"))]
    assert len(examples) > 25
    for example in examples:
        search(example)


@pytest.mark.parametrize(
    ("q", "position", "suggestion"),
    [
        ("lr <", 4, None),
        ("lr => 3", 3, ">="),
        ("status:runing", 7, "running"),
        ("(a = 1", 0, ")"),
        ("name:/abc", 5, "/"),
        ("seed in [1, 2", 8, "]"),
        ("loss spiked > x", 14, "10k"),
        ("created > soon", 10, "2d"),
        ('"open', 0, '"'),
        ('name ~ "("', 7, None),
        ("a = 1 && b = 2", 6, "and"),
        ("lr = 1)", 6, None),
    ],
)
def test_a_mistake_is_answered_with_its_place_and_what_to_write(search: Search, q: str, position: int, suggestion: str | None) -> None:
    for question in ({"type": "search_runs", "q": q}, {"type": "get_series", "metric": "loss", "q": q}, {"type": "list_metrics", "q": q}):
        status, body = search.post(question)
        assert (status, body["error"]) == (400, "QuerySyntaxError")
        assert (body["position"], body["suggestion"]) == (position, suggestion), body


@pytest.mark.parametrize(
    "q",
    [
        "(" * 100_000,
        "not " * 1000,
        "a=1 or " * 1000 + "a=1",
        "x" * (1 << 20),
        "[" * 4000,
        "a = " + "9" * 4000,
        "name:/" + "(a*)*" * 190 + "/",
    ],
)
def test_huge_and_deep_queries_are_answered_soon(search: Search, q: str) -> None:
    start = time.perf_counter()
    status, body = search.post({"type": "search_runs", "q": q})
    assert status in (200, 400, 413), body
    assert time.perf_counter() - start < 5
    assert search("seed = 1 key:lab") == ["ppo-fall"]


def test_a_name_that_nobody_has_finds_nothing_and_the_nearest_query(search: Search) -> None:
    status, page = search.post({"type": "search_runs", "q": "optimiser = adam"})
    assert (status, page["total"]) == (200, 0)
    assert search(page["nearest"])


def test_completion(search: Search) -> None:
    def texts(q: str) -> dict[str, Any]:
        status, body = search.post({"type": "complete", "q": q, "position": len(q)})
        assert status == 200
        return {item["text"]: item for item in body["items"]}

    assert {"Args.lr", "loss"} <= texts("l").keys()
    span = texts("lr < ")[""]
    assert (span["low"], span["high"], sum(span["histogram"])) == (1e-4, 0.1, 4)
    assert texts("optimizer = ")["adam"]["runs"] == 2
    assert texts("tag:ba").keys() >= {"baseline", '"base line"'}
    assert {"diverged", "spiked", "plateaued"} <= texts("loss ").keys()


WORDS = [
    "lr",
    "<",
    "==",
    "~",
    ":",
    "(",
    ")",
    "[",
    "]",
    ",",
    "and",
    "or",
    "not",
    "in",
    "exists",
    "sort:-acc",
    '"a b"',
    "`n`",
    "/x.*/",
    "1e-3",
    "loss",
    "diverged",
    "spiked",
    "after",
    "tag:x",
    "name:/p/",
    "\x00",
    "\\",
    "é",
    "has:lr",
    "created:>2d",
    "nan",
    "inf",
]


@given(
    st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
)
@settings(deadline=None, max_examples=150)
def test_no_text_is_answered_with_a_fault(search: Search, q: str) -> None:
    for question in ({"type": "search_runs", "q": q, "limit": 3}, {"type": "complete", "q": q, "position": len(q) // 2}):
        status, body = search.post(question)
        assert status == 200 or (status == 400 and body["error"] == "QuerySyntaxError"), (q, body)


def test_questions_for_series_in_one_list_are_answered_by_their_bodies_one_behind_the_other(search: Search) -> None:
    def bodies(question: Any) -> tuple[int, bytes]:
        answer = search.http.request("POST", f"{search.url}/v1/query", body=json.dumps(question), timeout=30)
        return answer.status, answer.data

    questions = [{"type": "get_series", "metric": name, "prefix": "lab", "bins": bins} for name, bins in (("loss", 7), ("eval/acc", 500))]
    alone = [bodies(question)[1] for question in questions]
    assert all(alone)
    assert bodies(questions) == (200, b"".join(alone))
    status, body = bodies([*questions, {"type": "get_series", "metric": "loss", "q": "lr <"}])
    assert (status, json.loads(body)["error"]) == (400, "QuerySyntaxError")
    assert bodies([])[0] == bodies([{"type": "get_run", "key": "lab"}])[0] == bodies(questions * 51)[0] == 400
