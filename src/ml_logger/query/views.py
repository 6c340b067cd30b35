"""Views: rows and parameters as the files they would be – `.pkl`, `.csv`, `.jsonl`, `.yaml`, `.parquet`. Knows no path and no run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from ml_logger.errors import MissingExtraError, NotFoundError
from ml_logger.formats.values import jsonable

_FLUSH = 1 << 16


def view_bytes(rows: list[dict[str, Any]], suffix: str) -> Iterator[bytes]:
    """Yield `rows` as a file with this suffix; raises `NotFoundError` for a suffix that is no view, before the first byte."""
    makers = {".pkl": _pickles, ".csv": _csv, ".jsonl": _json_lines, ".yaml": _yaml, ".yml": _yaml, ".parquet": _parquet}
    if suffix not in makers:
        raise NotFoundError(f"view {suffix}", f"views end in {', '.join(makers)}")
    return makers[suffix](rows)


def _pickles(rows: list[dict[str, Any]]) -> Iterator[bytes]:
    """One pickle of a plain dict after the other, for `pickle.load` in a loop."""
    from ml_logger.formats import pickle_writer

    for row in rows:
        yield pickle_writer.dumps(row)


def _json_lines(rows: list[dict[str, Any]]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for row in rows:
        yield encoder.encode(jsonable(row)) + b"\n"


def _yaml(rows: list[dict[str, Any]]) -> Iterator[bytes]:
    """One document a row: `yaml.safe_load_all` reads them, `yaml.safe_load` the only one."""
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("yaml", "a YAML file") from None
    for row in rows:
        yield b"---\n" + yaml.safe_dump(_yaml_plain(row), sort_keys=False, allow_unicode=True).encode()


def _csv(rows: list[dict[str, Any]]) -> Iterator[bytes]:
    names = columns_of(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
        if text.tell() > _FLUSH:
            yield text.getvalue().encode("utf-8", "replace")
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return repr(value) if isinstance(value, float) else msgspec.json.encode(jsonable(value)).decode()


def _parquet(rows: list[dict[str, Any]]) -> Iterator[bytes]:
    sink = io.BytesIO()
    write_parquet(rows, sink)
    yield sink.getvalue()


def write_parquet(rows: list[dict[str, Any]], file: BinaryIO, about: dict[bytes, str] | None = None) -> None:
    """Write `rows` as a Parquet file with the metadata `about`; raises `MissingExtraError`.

    Numbers are laid out by their bytes, which compresses curves twice as well as a dictionary of their values.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("parquet", "a Parquet file") from error
    table = pa.table(arrow_columns(rows)).replace_schema_metadata(about)
    layouts = {str(pa.float64()): "BYTE_STREAM_SPLIT", str(pa.int64()): "DELTA_BINARY_PACKED"}
    chosen = {name: layouts[str(kind)] for name, kind in zip(table.column_names, table.schema.types, strict=True) if str(kind) in layouts}
    others: Any = [name for name in table.column_names if name not in chosen]
    pq.write_table(table, file, compression="zstd", use_dictionary=others, column_encoding=chosen)


def arrow_columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the columns of `rows` as Arrow arrays: numbers, booleans and texts keep their type, anything else is JSON text."""
    import pyarrow as pa

    arrays: dict[str, Any] = {}
    for name in columns_of(rows):
        column = [row.get(name) for row in rows]
        kinds = {type(value) for value in column if value is not None}
        simple = kinds <= {int, float} or kinds in ({bool}, {str})
        if kinds == {int, float}:
            column = [None if value is None else float(value) for value in column]
        try:
            arrays[name] = pa.array(column if simple else _texts(column))
        except (OverflowError, pa.ArrowInvalid):
            arrays[name] = pa.array(_texts(column))
    return arrays


def _yaml_plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _yaml_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_yaml_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return _yaml_plain(value.tolist()) if hasattr(value, "tolist") else msgspec.json.encode(jsonable(value)).decode()


def _texts(column: list[Any]) -> list[str | None]:
    return [None if value is None else msgspec.json.encode(jsonable(value)).decode() for value in column]


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
    """Return all keys of the rows in the order of first appearance."""
    return list(dict.fromkeys(key for row in rows for key in row))
