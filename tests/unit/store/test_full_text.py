"""Free words against their plain definition: in a run's key or tags or notes, or at the beginning of a word of its parameters."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_logger import ML_Logger
from ml_logger.store.key_text import KeyText
from ml_logger.store.sqlite import SqliteStore, open_store

KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\n") | st.sampled_from("aab/ßÅ"), max_size=8)


@given(st.lists(KEYS, max_size=12), st.lists(KEYS, max_size=6), KEYS)
@settings(max_examples=300)
def test_a_word_is_found_in_all_keys_that_hold_it(keys: list[str], more: list[str], word: str) -> None:
    text, word = KeyText(keys), word.casefold()
    assert text.containing(word).tolist() == [word in key.casefold() for key in keys]
    for key in more:
        text.add(key)
    assert text.containing(word).tolist() == [word in key.casefold() for key in [*keys, *more]]


def log(root: Path, key: str, **params: object) -> None:
    with ML_Logger(key, root=root) as logger:
        logger.log_params(Args=params, silent=True)
        logger.log(step=0, loss_of_it=1.0, silent=True)


def fold(store: SqliteStore, key: str) -> None:
    """Have a run's text written, as happens once it is quiet: until then the index finds it by its old one, too."""
    store.refresh()
    store.fold_run(store.live[key], time.time())


WORDS = [
    *("lr", "l", "layers", "layer_2", "2", "0", "opt", "adam", "ada", "am", "sgd", "sweep", "b/1", "wee", "args", "loss_of_it", "seen"),
    *("lr adam", "adam lr sweep", "sgd 1", "adam sgd", "nowhere", "nowhere lr", "LR", "Args.lr", "ümla", "tagged", "tag"),
]


def check(store: SqliteStore, kept: dict[str, str]) -> None:
    """Compare what is found with the definition, a word typed key by key and then deleted again."""
    snapshot = store.snapshot()
    rows = {row.key: row for row in snapshot.rows(range(len(snapshot)))}
    for typed in [text[:end] for text in WORDS for end in (*range(1, len(text) + 1), *range(len(text) - 1, 0, -1))]:
        found = sorted(snapshot.keys[at] for at in np.flatnonzero(snapshot.containing(typed)))
        assert found == sorted(key for key in snapshot.keys if all(holds(word, rows[key], kept) for word in typed.casefold().split())), (
            typed
        )


def holds(word: str, row: object, kept: dict[str, str]) -> bool:
    key, params, host = row.key, row.params, row.host  # type: ignore[attr-defined]
    text = f"{key} {host} " + " ".join(f"{name} {value}" for name, value in params.items())
    return word in key.casefold() or word in kept.get(key, "") or re.search(r"(?<!\w)" + re.escape(word), text.casefold()) is not None


def test_words_find_what_they_mean_as_runs_come_change_and_go(tmp_path: Path) -> None:
    for number in range(6):
        log(tmp_path, f"sweep-{'ab'[number % 2]}/{number}", lr=0.1 * number, opt=("adam", "sgd")[number // 3], layers=number)
    log(tmp_path, "other/Ümlaut", seen="text of a parameter", layer_2="1")
    with open_store(tmp_path) as store:
        check(store, {})
        log(tmp_path, "sweep-b/new", lr=2.0, opt="adam")
        store.refresh()
        check(store, {})
        log(tmp_path, "sweep-a/0", opt="sgd", seen="lately")
        fold(store, "sweep-a/0")
        store.state_put("runs", "sweep-a/2", {"tags": ["tagged"], "notes": "nowhere"})
        kept = {"sweep-a/2": "nowhere tagged"}
        check(store, kept)
        shutil.rmtree(tmp_path / "sweep-b/1")
        store.refresh()
        check(store, kept)
    with open_store(tmp_path) as store:
        check(store, kept)


def test_a_word_that_is_asked_again_is_not_looked_up_again_until_a_text_changes(tmp_path: Path) -> None:
    log(tmp_path, "a/1", opt="adam")
    log(tmp_path, "a/2", opt="sgd")
    log(tmp_path, "a/3", opt="sgd")
    with open_store(tmp_path) as store:
        asked: list[list[str]] = []
        look_up = store.database.with_words
        store.database.with_words = lambda words: (asked.append(list(words)), look_up(words))[1]  # type: ignore[method-assign]
        for _ in range(3):
            assert store.snapshot().containing("adam").tolist() == [True, False, False]
        assert asked == [["adam"]]
        log(tmp_path, "a/2", opt="adam")
        fold(store, "a/2")
        assert store.snapshot().containing("adam").tolist() == [True, True, False]
        assert asked == [["adam"]] * 2
