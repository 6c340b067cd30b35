"""Metrics: `log`, the stored ones with their summaries, and reading rows back. Knows no file and no wire."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ml_logger.answers import Table
from ml_logger.console import peek_table, plain, text_of
from ml_logger.errors import InvalidKeyError, MissingExtraError, NotFoundError, SettingsError, UnsupportedValueError, UsageError
from ml_logger.keys import clean, is_reserved
from ml_logger.methods.base import Methods
from ml_logger.methods.columns import Rows, Wanted, as_named, column, grouped_columns, plain_columns, wanted
from ml_logger.queries import ReadRows
from ml_logger.records import METRICS_TABLE, STEP_KEYS, EndRow, Row, Text
from ml_logger.summary import SummaryCache

Silent = bool | Collection[str]


class MetricMethods(Methods):
    """Values over steps."""

    __slots__ = ()

    if TYPE_CHECKING:

        def log(
            self,
            *args: Any,
            metrics: Mapping[str, Any] | None = None,
            silent: Silent = False,
            sep: str = " ",
            end: str = "\n",
            flush: bool | None = None,
            cache: str | None = None,
            file: str | None = None,
            _prefix: str | None = None,
            **kv: Any,
        ) -> None:
            """Log values of one row: `log(step=3, loss=0.2)`, `log({"eval/acc": 0.9}, step=3)`, `log(3, loss=0.2)`.

            All of it is in the journal when this returns. A row ends when its step (`step`, `timestep`, `global_step` or
            `epoch`) changes, at `flush()`, or with `flush=True`; then it is printed, unless `silent` (True, or the names not to
            print). `metrics=` takes a dict, too. Text arguments become a line of `outputs.log`, joined by `sep`, ended by `end`.
            `file` (or `cache`) names another table of rows, `_prefix` goes before the names.

            Values may be anything; what cannot be stored becomes a marked placeholder, with one warning. Never raises for a value.
            """

    else:  # named options cost as much as encoding the values: every keyword is compared with every name

        def log(self, *args: Any, silent: Silent = False, **kv: Any) -> None:
            """Log values of one row: `log(step=3, loss=0.2)`, `log({"eval/acc": 0.9}, step=3)`, `log(3, loss=0.2)`.

            All of it is in the journal when this returns. A row ends when its step (`step`, `timestep`, `global_step` or
            `epoch`) changes, at `flush()`, or with `flush=True`; then it is printed, unless `silent` (True, or the names not to
            print). `metrics=` takes a dict, too. Text arguments become a line of `outputs.log`, joined by `sep`, ended by `end`.
            `file` (or `cache`) names another table of rows, `_prefix` goes before the names.

            Values may be anything; what cannot be stored becomes a marked placeholder, with one warning. Never raises for a value.
            """
            session = self.session
            if args:
                kv = {**args[0], **kv} if len(args) == 1 and type(args[0]) is dict else self._positional(args, kv)
            options = _NO_OPTIONS if kv.keys().isdisjoint(_OPTIONS) else _taken(kv)
            if options or session.inner_place() is not None:
                kv = self._prefixed(kv, options.get("_prefix"))
            if kv:
                shown = None if silent is True else _shown(kv, silent)
                session.emit(Row(kv, options.get("table", METRICS_TABLE), shown))
            if options.get("flush"):
                session.flush()

    def _prefixed(self, values: dict[str, Any], prefix: str | None) -> dict[str, Any]:
        """Return `values` with the prefix of metrics before their names, but for those that say the step or have it already.

        Stored metrics got it when they were stored; their summary may be logged in the same block or outside of it.
        """
        prefix = prefix or self.session.place.metrics
        if not prefix:
            return values
        return {key if key in STEP_KEYS or str(key).startswith(prefix) else f"{prefix}{key}": value for key, value in values.items()}

    def _positional(self, args: tuple[Any, ...], kv: dict[str, Any]) -> dict[str, Any]:
        """Sort positional arguments: a leading integer is the step, dicts are metrics, the rest is a line of text."""
        rest, before, sep, end = list(args), {}, kv.pop("sep", " "), kv.pop("end", "\n")
        if type(rest[0]) is not bool and hasattr(type(rest[0]), "__index__") and (kv or len(rest) > 1):
            before["step"] = rest.pop(0)
        words: list[str] = []
        for value in rest:
            if isinstance(value, Mapping):
                before.update(value)
            else:
                words.append(text_of(value))
        if words:
            self.session.emit(Text(sep.join(words) + end, self._key("outputs.log")))
        return {**before, **kv}

    def log_metrics(self, metrics: Mapping[str, Any] | None = None, **options: Any) -> None:
        """Log `metrics` and the keywords as `log` does, without text."""
        self.log(metrics=metrics, **options)

    def log_key_value(self, key: Any, value: Any, *more: Any, silent: bool = True, cache: str | None = None) -> None:
        """Log one value: `log_key_value(step, key, value)` or `log_key_value(key, value)`; silent by default."""
        step: dict[str, Any] = {}
        if more and not isinstance(key, str):
            step, key, value, more = {"step": key}, value, more[0], more[1:]
        if len(more) > 1:
            raise UsageError("log_key_value takes (key, value) or (step, key, value), and after them the name of a cache")
        cache = more[0] if more else cache
        self.session.emit(Row({**step, str(key): value}, _table(None, cache), None if silent else {str(key): value}))

    def flush_metrics(self, cache: str | None = None, file: str | None = None, silent: bool | None = None) -> None:
        """End the open row of one table; an empty one adds nothing."""
        del silent  # what a row shows was decided when its values were logged
        self.session.emit(EndRow(_table(file, cache)))

    def flush(self, cache: str | None = None, file: str | None = None, *, timeout: float | None = None, durable: bool = False) -> None:
        """End all open rows and print them; with `timeout` (s) wait until all is acknowledged, with `durable` until it is on a disk.

        Raises `DeliveryError` when the time was not enough; nothing is lost then. Waiting also raises what a server could not do since the
        last time: a file under a name that another process had taken (`InvalidKeyError`).
        """
        del cache, file
        self.session.flush(timeout, durable=durable)

    # ── stored metrics ───────────────────────────────────────────────────────────────────────────────────────────

    def _cache(self, name: str | None = None) -> SummaryCache:
        caches: dict[str | None, SummaryCache] = self.session.state.setdefault("summary_caches", {})
        if name not in caches:
            options = self.session.state.get("summary_cache_opts", {})
            try:
                caches[name] = SummaryCache(**options)
            except (TypeError, ValueError) as error:
                raise SettingsError("summary_cache_opts", str(options), str(error)) from error
        return caches[name]

    @property
    def summary_cache(self) -> SummaryCache:
        """The default cache of stored metrics."""
        return self._cache()

    def store_metrics(
        self,
        metrics: Mapping[str, Any] | None = None,
        *,
        silent: bool | None = None,
        cache: str | None = None,
        _prefix: str | None = None,
        **kv: Any,
    ) -> None:
        """Keep values in memory, to be logged as statistics by `log_metrics_summary`. Not written until then."""
        if metrics is not None and not isinstance(metrics, Mapping):
            raise UnsupportedValueError("metrics", type(metrics).__name__, "metrics= takes a dict of names and values")
        values = self._prefixed({**kv, **(metrics or {})}, _prefix)
        if silent:
            self.session.state.setdefault("silent_stored", set()).update(values)
        self._cache(cache).store({key: plain(value) for key, value in values.items()})

    store = store_metrics

    def store_key_value(
        self, key: str, value: Any, silent: bool | None = None, cache: str | None = None, _prefix: str | None = None
    ) -> None:
        """Keep one value in memory; see `store_metrics`."""
        self.store_metrics({key: value}, silent=silent, cache=cache, _prefix=_prefix)

    def peek_stored_metrics(self, *keys: str, len: int = 5, print_only: bool = True, cache: str | None = None) -> str | None:
        """Print the first `len` stored rows of `keys` (default: all); with `print_only=False` return the text instead."""
        text = peek_table(self._cache(cache).peek(*keys), len)
        if not print_only:
            return text
        self.session.printer.text(text)
        return None

    peak_stored_metrics = peek_stored_metrics

    def log_metrics_summary(
        self,
        key_values: Mapping[str, Any] | None = None,
        cache: str | None = None,
        key_stats: Mapping[str, str] | str | None = None,
        default_stats: str | None = None,
        silent: Silent = False,
        flush: bool = True,
        _prefix: str | None = None,
        **key_modes: str,
    ) -> None:
        """Log statistics of the stored metrics as one row `{key/stat: …}` with `key_values`, and empty the cache.

        `key_stats` (or keywords) name statistics by key: mean, min, max, min_max, sum, std, quantile, histogram, or several
        joined by a comma; `default_stats` is for all other keys.
        """
        wanted, general = {**_named(key_stats), **key_modes}, default_stats or _general(key_stats)
        try:
            summary = self._cache(cache).summarize(key_stats=wanted, default_stats=general)
        except ValueError as error:
            raise UsageError(str(error)) from error
        hidden = self.session.state.pop("silent_stored", set())
        if hidden and silent is not True:
            silent = {key for key in summary if key.rpartition("/")[0] in hidden} | set(silent or ())
        self.log({**(key_values or {}), **summary}, silent=silent, _prefix=_prefix)
        if flush:
            self.session.emit(EndRow(_table(None, None)))

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def read_metrics(
        self,
        *keys: str,
        x_key: str | None = None,
        path: str = "metrics.pkl",
        wd: str | None = None,
        num_bins: int | None = None,
        bin_size: int = 1,
        dropna: bool = False,
        silent: bool = False,
        default: Any = None,
        verbose: bool = False,
        as_numpy: bool = False,
    ) -> Any:
        """Return what was logged: a column for one key, a list for several or with `x_key` (x comes last), everything for none.

        `path` may be a glob over many runs. `loss@mean`, `@median`, `@16%` … aggregate the points that share their x (of one bin,
        with `num_bins` of equal width or `bin_size` values of x each) over all runs; a key without an aggregate then gives an
        array for each x. `dropna` leaves out rows with a gap. Columns are pandas Series, tables DataFrames; with `as_numpy`
        arrays and dicts of arrays. Nothing there: `default`, None if `silent`, else `NotFoundError`.
        """
        del verbose
        if not isinstance(bin_size, int) or bin_size < 1 or (num_bins is not None and (not isinstance(num_bins, int) or num_bins < 0)):
            raise UsageError(f"bin_size={bin_size!r}, num_bins={num_bins!r}: bins have at least one value, and a count is not negative")
        parsed = [wanted(key) for key in (*keys, *([x_key] if x_key else []))]
        try:
            tables, every = self._tables(self._key(wd, path), parsed)
        except NotFoundError:
            if default is None and not silent:
                raise
            return default if len(keys) < 2 else [default] * len(keys)
        asked, x = every[: len(keys)], every[-1] if x_key else None
        if not every:
            found = {self._seen(table.path): _frame(table.rows, as_numpy=as_numpy) for table in tables}
            return found if is_pattern(path) else next(iter(found.values()))
        rows: list[Rows] = [table.rows for table in tables]
        if len(rows) == 1 and not num_bins and bin_size <= 1 and not any(key.agg for key in every):
            found = plain_columns(rows[0], every, dropna=dropna)
        else:
            found = grouped_columns(rows, asked, x, num_bins, bin_size, dropna=dropna)
        columns = [_series(values, key.text, as_numpy=as_numpy) for values, key in zip(found, every, strict=True)]
        return columns[0] if len(columns) == 1 else columns

    get_dataframe = read_metrics

    def _tables(self, path: str, asked: list[Wanted]) -> tuple[list[Table], list[Wanted]]:
        """Return the tables at `path` that have all the asked keys, and what these mean there; raises `NotFoundError` if none has."""
        tables = self.session.ask(ReadRows(path)).tables
        names = {name for table in tables for row in table.rows for name in row}
        asked = [as_named(key, names) for key in asked]
        kept = [table for table in tables if all(any(key.name in row for row in table.rows) for key in asked)]
        if tables and not kept:
            known = sorted(names)
            lacking = [key.name for key in asked if key.name not in known] or [key.name for key in asked]
            raise NotFoundError(f"{', '.join(lacking)} in {path}", f"there is {', '.join(known[:20])}" if known else "it has no rows")
        if not kept:
            raise NotFoundError(f"metrics at {path}", "no run there has any")
        return kept, asked

    def _seen(self, path: str) -> str:
        """Return a key as it looks from the current prefix."""
        prefix = self.session.place.prefix
        return path[len(prefix) + 1 :] if prefix and path.startswith(f"{prefix}/") else path


def _series(values: Any, name: str, *, as_numpy: bool) -> Any:
    return values if as_numpy else _pandas().Series(list(values) if values.dtype == object else values, name=name)


def _frame(rows: list[dict[str, Any]], *, as_numpy: bool) -> Any:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: column(rows, name) for name in names}
    return columns if as_numpy else _pandas().DataFrame({name: _series(values, name, as_numpy=False) for name, values in columns.items()})


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtraError("pandas", "read_metrics (or pass as_numpy=True)") from None
    return pd


def is_pattern(path: str) -> bool:
    """Tell whether `path` is a glob."""
    return any(sign in path for sign in "*?[")


_OPTIONS = frozenset(("metrics", "sep", "end", "flush", "cache", "file", "_prefix"))
_NO_OPTIONS: dict[str, Any] = {}


def _taken(kv: dict[str, Any]) -> dict[str, Any]:
    """Take the options out of the keywords of `log`, put the metrics of `metrics=` behind them, and return the options."""
    options = {name: kv.pop(name) for name in _OPTIONS if name in kv}
    metrics = options.pop("metrics", None)
    if metrics is not None and not isinstance(metrics, Mapping):
        raise UnsupportedValueError("metrics", type(metrics).__name__, "metrics= takes a dict of names and values")
    kv.update(metrics or {})
    return {**options, "table": _table(options.get("file"), options.get("cache"))}


def _table(file: str | None, cache: str | None) -> str:
    """Return the path of a table in its run; a named cache has rows of its own in a table of its own."""
    if not file:
        return _checked_table(f"{cache}.pkl") if cache else METRICS_TABLE
    if not isinstance(file, str):
        raise UnsupportedValueError("file", type(file).__name__, "file= names a table of rows, such as eval.pkl")
    return _checked_table(file)


@lru_cache(1024)
def _checked_table(name: str) -> str:
    """Return the name of a table below the prefix, or raise `InvalidKeyError`: rows stay in their run."""
    if name.startswith("/") or ".." in name.split("/"):
        raise InvalidKeyError(name, "a table of rows lies in its run: name it below the prefix")
    if is_reserved(name):
        raise InvalidKeyError(name, "is written by ml-logger itself")
    return clean(name)


def _shown(values: dict[str, Any], silent: Silent) -> dict[str, Any] | None:
    """Return what is printed: all but the silenced names, and `step` only if it came first; None for nothing."""
    first = next(iter(values))
    if not silent and ("step" not in values or first == "step"):
        return values
    if not isinstance(silent, Collection):  # 1, numpy.True_
        hidden: set[str] = set(values) if silent else set()
    else:
        hidden = {silent} if isinstance(silent, str) else set(silent)
    return {key: value for key, value in values.items() if key not in hidden and (key != "step" or key == first)}


def _named(key_stats: Mapping[str, str] | str | None) -> dict[str, str]:
    return dict(key_stats) if isinstance(key_stats, Mapping) else {}


def _general(key_stats: Mapping[str, str] | str | None) -> str | None:
    return key_stats if isinstance(key_stats, str) else None
