"""Tables as the seed README draws them, character by character; colours; the token bucket of printing."""

from __future__ import annotations

import io

import numpy as np
import pytest

from ml_logger.console import Color, Printer, columns_of, green, metrics_table, params_table, peek_table, percent, red, to_text

S25 = """\
╒════════════════════╤════════════════════╕
│        step        │         9          │
├────────────────────┼────────────────────┤
│       D loss       │       0.200        │
├────────────────────┼────────────────────┤
│       G loss       │       0.100        │
├────────────────────┼────────────────────┤
│ mutual information │       0.010        │
╘════════════════════╧════════════════════╛
"""

S41 = """\
╒════════════════════╤════════════════════╕
│  some var/smooth   │         10         │
├────────────────────┼────────────────────┤
│        some        │       85.0%        │
╘════════════════════╧════════════════════╛
"""

S24 = """\
══════════════════════════════════════════
        Args        
────────────────────┬─────────────────────
        seed        │ 1                   
        D_lr        │ 0.0005              
        G_lr        │ 0.0001              
        Q_lr        │ 0.0001              
        T_lr        │ 0.0001              
   plot_interval    │ 10                  
════════════════════╧═════════════════════
"""  # noqa: W291 - the blanks at the ends are part of the table

S59 = """\
═════════════════════════════════════════════════════
              G               
───────────────────────────────┬─────────────────────
           env_name            │ MountainCar-v0      
             seed              │ None                
         value_params          │ (64,)               
    prioritized_replay_eps     │ 1e-06               
           beta_end            │ 1.0                 
target_network_update_interval │ 500                 
═══════════════════════════════╧═════════════════════
             RUN              
───────────────────────────────┬─────────────────────
        log_directory          │ /mnt/slab/krypton/machine_learning/ge_dqn/2017-11-20/162048.353909-MountainCar-v0-prioritized_replay(True)
          checkpoint           │ checkpoint.cp       
═══════════════════════════════╧═════════════════════
"""  # noqa: W291

S60 = """\
╒════════════════════╤════════════════════╕
│      timestep      │        1999        │
├────────────────────┼────────────────────┤
│      episode       │         10         │
├────────────────────┼────────────────────┤
│    total reward    │       -200.0       │
├────────────────────┼────────────────────┤
│ total reward/mean  │       -200.0       │
├────────────────────┼────────────────────┤
│time spent exploring│       82.0%        │
├────────────────────┼────────────────────┤
│    replay beta     │        0.41        │
╘════════════════════╧════════════════════╛
"""

S31 = """\
     some      |   timestep    |some_val/smooth
━━━━━━━━━━━━━━━┿━━━━━━━━━━━━━━━┿━━━━━━━━━━━━━━━
      20       |       0       |      10
      20       |       1       |      10
"""


def test_s25_a_row_of_metrics() -> None:
    assert metrics_table({"step": 9, "D_loss": 0.2, "G_loss": 0.1, "mutual_information": 0.01}) == S25


def test_wide_letters_and_combining_marks_keep_the_borders_straight() -> None:
    lines = metrics_table({"損失": 0.5, "e\u0301": "日本語の長い値がここに入ります"}).splitlines()
    assert len({columns_of(line) for line in lines}) == 1
    rows = params_table({"設定": {"学習率": 0.1, "a": 1}}).splitlines()
    assert {columns_of(line.partition("│")[0]) for line in rows if "│" in line} == {20}
    assert columns_of("日本") == 4
    assert columns_of("e\u0301ä") == 2


def test_s10_s58_box_characters_and_blanks_for_underscores() -> None:
    table = metrics_table({"reward": 20, "some_val/smooth": 10, "status": "step (0)"})
    assert table.splitlines()[0] == "╒" + "═" * 20 + "╤" + "═" * 20 + "╕"
    assert "│  some val/smooth   │         10         │" in table
    assert "│       status       │      step (0)      │" in table
    assert not {"+", "|"} & set(table)


def test_s24_s16_parameters() -> None:
    args = {"seed": 1, "D_lr": 5e-4, "G_lr": 1e-4, "Q_lr": 1e-4, "T_lr": 1e-4, "plot_interval": 10}
    assert params_table({"Args": args}) == S24


def test_s59_parameters_with_long_keys_and_several_sections() -> None:
    g = {"env_name": "MountainCar-v0", "seed": None, "value_params": (64,), "prioritized_replay_eps": 1e-6, "beta_end": 1.0}
    run = {
        "log_directory": "/mnt/slab/krypton/machine_learning/ge_dqn/2017-11-20/162048.353909-MountainCar-v0-prioritized_replay(True)",
        "checkpoint": "checkpoint.cp",
    }
    printed = params_table({"G": {**g, "target_network_update_interval": 500}, "RUN": run})
    assert printed == S59


def test_s41_s55_colours_and_formatters() -> None:
    assert metrics_table({"some_var/smooth": 10, "some": Color(0.85, "yellow", percent)}) == S41
    precise = Color(0.28571, "yellow", lambda v: f"{v * 100:.5f}%")
    cells = [Color(0.1, "yellow"), precise, Color(0.85, "yellow", percent), Color(10, "yellow")]
    assert [metrics_table({"some": cell}).splitlines()[1].strip("│").split("│")[1] for cell in cells] == [
        "        0.1         ",
        "     28.57100%      ",
        "       85.0%        ",
        "         10         ",
    ]


def test_s60_a_key_of_twenty_characters_has_no_margin() -> None:
    row = {"timestep": 1999, "episode": 10, "total_reward": Color(-200.0), "total_reward/mean": Color(-200.0)}
    assert metrics_table({**row, "time_spent_exploring": Color(0.82, None, percent), "replay_beta": Color(0.41)}) == S60


def test_columns_grow_with_the_longest_cell() -> None:
    table = metrics_table({"a_name_of_more_than_twenty_characters": "x" * 30})
    assert len({len(line) for line in table.splitlines()}) == 1
    assert f"│ {'a name of more than twenty characters'} │ {'x' * 30} │" in table


def test_s31_stored_metrics() -> None:
    columns = {"some": [20, 20, 20], "timestep": [0, 1, 2], "some_val/smooth": [10, 10, 10]}
    assert peek_table(columns, 2) == S31


def test_s57_colours_are_emitted_only_if_enabled() -> None:
    row = {"a": green(1), "b": red(0.5, percent), "c": Color(1, "no such colour")}
    assert "\x1b" not in metrics_table(row)
    painted = metrics_table(row, color=True)
    assert "\x1b[32m         1          \x1b[0m" in painted
    assert "\x1b[31m       50.0%        \x1b[0m" in painted
    assert painted.count("\x1b[0m") == 2
    assert params_table({"Args": {"a": 1}}, color=True).splitlines()[1] == "\x1b[33m        Args        \x1b[0m"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234567, "0.123"), (float("nan"), "nan"), (10, "10"), (True, "True"), (np.float32(0.5), "0.500"), (np.int64(3), "3"),
     (None, "None"),
     (np.array([1.0, 2.0]), "[1.,2.]"), ("two\nlines", "two lines"), ((64,), "(64,)"),
     ({"a": [1, 2.5, "x"]}, "{'a': [1, 2.5, 'x']}"), (set(), "{}"), (1 + 2j, "(1+2j)"), ("x" * 5000, "x" * 999 + "…")],
)  # fmt: skip
def test_cells(value: object, text: str) -> None:
    assert to_text(value) == text


def test_a_value_that_cannot_be_shown_is_named() -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError

    assert to_text(Hostile()) == "<Hostile>"
    assert to_text(Color(1, None, lambda value: 1 / 0)) == "<Color>"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_ten_tables_at_once_ten_a_second_and_the_last_one_always() -> None:
    out, clock = io.StringIO(), Clock()
    printer = Printer(lambda: out, clock=clock)
    for i in range(100):
        printer.row({"step": i})
    assert out.getvalue().count("╒") == 10
    printer.flush()
    assert out.getvalue().count("╒") == 11
    assert "         99         " in out.getvalue()
    assert "(89 more rows were logged, and not shown)" in out.getvalue()
    clock.now = 0.1
    printer.row({"step": 100})
    assert out.getvalue().count("╒") == 12


def test_a_stream_without_our_characters_or_without_a_file_is_no_error() -> None:
    raw = io.BytesIO()
    ascii_only = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    Printer(lambda: ascii_only).row({"a": 1})
    assert b"1" in raw.getvalue()
    ascii_only.close()
    Printer(lambda: ascii_only).row({"a": 1})
    Printer(lambda: None).row({"a": 1})  # type: ignore[arg-type, return-value]
