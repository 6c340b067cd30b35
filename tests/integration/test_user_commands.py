"""What users change beside runs, over HTTP: tags, notes, the archive, the trash, signals, and what they save."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.commands import Restore, SendSignal, SetArchived, SetNotes, SetTags, Trash
from ml_logger.errors import InvalidKeyError, NotFoundError
from ml_logger.safe_fs import TRASH, SafeRoot
from ml_logger.server.batches import Limits
from ml_logger.server.bounds import Bounds
from ml_logger.server.site import Site
from ml_logger.store.commands import carry_out

WRITE = """
from ml_logger import ML_Logger
for name in ("a", "b"):
    logger = ML_Logger(root={root!r}, prefix=f"team/{{name}}")
    logger.log(loss=1.0, step=0)
    logger.flush()
"""


@pytest.fixture
def server(new_server: Any, new_program: Any, tmp_path: Any) -> Any:
    new_program(WRITE.format(root=str(tmp_path / "root"))).finish()
    return new_server("root", "--no-auth")


def post(server: Any, path: str, **value: Any) -> Any:
    body = json.dumps(value).encode()
    request = urllib.request.Request(f"{server.url}{path}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def change(server: Any, **command: Any) -> Any:
    return post(server, "/v1/command", **command)


def runs(server: Any, **query: Any) -> dict[str, Any]:
    return {row["key"]: row for row in post(server, "/v1/query", type="search_runs", **query)["rows"]}


def test_tags_notes_and_the_archive(server: Any) -> None:
    assert change(server, type="set_tags", runs=["team/a", "team/b"], add=["best", "old"])["changed"] == 2
    assert change(server, type="set_tags", runs=["team/a"], remove=["old"])["changed"] == 1
    assert change(server, type="set_tags", runs=["team/a"], add=["best"])["changed"] == 0
    change(server, type="set_notes", run="team/a", text="a *good* one")
    change(server, type="set_archived", runs=["team/b"])
    found = runs(server)
    assert found["team/a"]["tags"] == ["best"]
    assert found["team/a"]["notes"] == "a *good* one"
    assert "team/b" not in found or found["team/b"]["archived"]
    server.kill()
    server.start()
    assert runs(server, q="tag:best")["team/a"]["notes"] == "a *good* one", "they are on the disk"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        change(server, type="set_tags", runs=["team/a", "team/none"], add=["x"])
    assert runs(server)["team/a"]["tags"] == ["best"], "nothing is changed when one of them is missing"


def test_the_trash(server: Any) -> None:
    before = {path.name: path.read_bytes() for path in (server.data_dir / "team/a").iterdir()}
    change(server, type="trash", paths=["team/a"])
    assert set(runs(server)) == {"team/b"}
    assert set(runs(server, trash=True)) == {"team/a"}
    change(server, type="restore", paths=["team/a"])
    assert set(runs(server)) == {"team/a", "team/b"}
    assert {path.name: path.read_bytes() for path in (server.data_dir / "team/a").iterdir()} == before


def test_signals_reach_the_run(server: Any, new_program: Any) -> None:
    change(server, type="send_signal", run="team/a", name="stop")
    change(server, type="send_signal", run="team/a", name="set", value={"lr": 0.1})
    code = f"""
from ml_logger import ML_Logger
logger = ML_Logger(root={server.url!r}, prefix="team/a")
print(logger.ping(), logger.ping())
logger.flush(timeout=20)
"""
    assert new_program(code).finish().strip().splitlines()[-1] == "['stop', {'lr': 0.1}] []"
    detail = post(server, "/v1/query", type="get_run", key="team/a")
    assert [bool(signal["seen"]) for signal in detail["signals"]] == [True, True]
    assert [signal["sender"] for signal in detail["signals"]] == ["anyone", "anyone"]


def test_what_is_saved(server: Any) -> None:
    made = change(server, type="save", kind="link", name="", value={"q": "a"})["name"]
    assert post(server, "/v1/query", type="get_saved", kind="link", name=made)["items"] == {made: {"q": "a"}}
    change(server, type="save", kind="view", name="mine", value=1, prefix="team")
    assert post(server, "/v1/query", type="get_saved", kind="view", prefix="team")["items"] == {"mine": 1}
    change(server, type="save", kind="view", name="mine", value=None, prefix="team")
    assert post(server, "/v1/query", type="get_saved", kind="view", prefix="team")["items"] == {}
    with pytest.raises(urllib.error.HTTPError, match="400"):
        change(server, type="save", kind="runs", name="team/a", value={"tags": ["x"]})


def test_what_someone_else_saved_meanwhile_is_not_lost(server: Any) -> None:
    def save(value: str, was: str | None) -> None:
        change(server, type="save", kind="report", name="shared", value=value, prefix="team", checked=True, was=was)

    save("first", None)
    with pytest.raises(urllib.error.HTTPError, match="409"):
        save("late", None)
    save("second", "first")
    with pytest.raises(urllib.error.HTTPError, match="409"):
        save("late", "first")
    assert post(server, "/v1/query", type="get_saved", kind="report", prefix="team")["items"] == {"shared": "second"}
    change(server, type="set_notes", run="team/b", text="mine", was="")
    with pytest.raises(urllib.error.HTTPError, match="409"):
        change(server, type="set_notes", run="team/b", text="late", was="")
    change(server, type="set_notes", run="team/b", text="whatever")
    assert runs(server)["team/b"]["notes"] == "whatever"


def test_without_a_server(server: Any) -> None:
    root = SafeRoot(server.data_dir)
    assert carry_out(root, SetTags(["team/a"], ["x"])).changed == 1
    assert carry_out(root, SetArchived(["team/a"])).changed == 1
    assert carry_out(root, SetNotes("team/a", "hi")).changed == 1
    assert carry_out(root, SendSignal("team/a", "stop")).name
    carry_out(root, Trash(["team/a"]))
    with pytest.raises(NotFoundError):
        carry_out(root, Trash(["team/a"]))
    carry_out(root, Restore(["team/a"]))
    with pytest.raises(InvalidKeyError):
        carry_out(root, Restore(["team/a"]))


class CountingRoot(SafeRoot):
    """Counts how often the trash is listed."""

    listed = 0

    def scan(self, key: str, *more: Any) -> list[Any]:
        self.listed += key == TRASH
        return super().scan(key, *more)


def test_many_runs_come_back_with_one_look_at_the_trash_or_none_of_them_does(tmp_path: Path) -> None:
    root = CountingRoot(tmp_path / "root", create=True)
    paths = [f"team/{number}" for number in range(30)]
    for path in paths:
        root.write_bytes(f"{path}/file", path.encode())
    carry_out(root, Trash(paths))
    with pytest.raises(NotFoundError, match="team/x in the trash"):
        carry_out(root, Restore([*paths, "team/x"]))
    assert not any(map(root.exists, paths))
    root.listed = 0
    assert carry_out(root, Restore([*paths, paths[0]])).changed == 30
    assert root.listed == 1
    assert [root.read_bytes(f"{path}/file") for path in paths] == [path.encode() for path in paths]


def test_the_index_is_looked_through_once_however_many_runs_go(tmp_path: Path) -> None:
    paths = [f"team/{number}" for number in range(12)]
    for path in paths:
        with ML_Logger(path, root=tmp_path) as logger:
            logger.log(loss=1.0, step=0, silent=True)
    site = Site(tmp_path, Bounds(), Limits(), is_open=True, secure=False)
    try:
        assert site.store.follower.swept.wait(20)
        looks: list[int] = []
        forget = site.store.forget
        site.store.forget = lambda is_gone: (looks.append(1), forget(is_gone))
        carry_out(site.root, Trash(paths[:10]))
        site.poke_below(paths[:10])
        assert (len(looks), sorted(site.store.snapshot().keys)) == (1, ["team/10", "team/11"])
        carry_out(site.root, Restore(paths[:10]))
        site.poke_below(paths[:10])
        assert (len(looks), sorted(site.store.snapshot().keys)) == (2, sorted(paths))
    finally:
        site.store.follower.stop(5)
        site.store.close()
