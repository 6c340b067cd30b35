"""Reads pickles that hold plain data, by walking over their opcodes. Nothing in them is ever imported or called.

Known are the built-in containers and scalars, datetime, Decimal, OrderedDict, NumPy arrays, scalars and dtypes, and the
`Color` of earlier releases; each is rebuilt by code of ours. Everything else becomes an `Unsupported` placeholder that
names what it was. Imports `pickletools` (which describes opcodes) and not `pickle` (which obeys them).
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable, Iterator
from typing import Any

from ml_logger.errors import CorruptFrameError
from ml_logger.formats.pickle_builders import BUILDERS, FAULTS, hashable
from ml_logger.formats.values import Unsupported

_PIECE = 1 << 24
MAX_ITEMS = 50_000_000
"""Objects that one pickle may build."""


class _Mark:
    """Where a MARK opcode stands on the stack."""


class _Global:
    """A name that a pickle wants imported; it is only remembered."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Built:
    """An object under construction: the name of its class, its arguments, and the state it was given."""

    __slots__ = ("args", "name", "state", "value")

    def __init__(self, name: str, args: Any) -> None:
        self.name, self.args, self.state, self.value = name, args, None, _MISSING


_MISSING: Any = object()
_MARK = _Mark()


def loads(data: bytes, path: str = "pickle") -> Any:
    """Return the first object in `data`; raises `CorruptFrameError` with the offset if it is cut off or no pickle."""
    for value in iter_loads(io.BytesIO(data), path):
        return value
    raise CorruptFrameError(path, 0, "empty")


def iter_loads(file: Any, path: str = "pickle") -> Iterator[Any]:
    """Yield the objects of a stream of pickles, one after the other; raises `CorruptFrameError` at a damaged one."""
    source = Source(file)
    while source.peek(1):
        yield next_object(source, path)


def next_object(source: Source, path: str = "pickle") -> Any:
    """Return the next object of `source`; raises `CorruptFrameError` with its offset if it is damaged."""
    start = source.offset
    try:
        return _Machine().run(source)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError, RecursionError) as error:
        raise CorruptFrameError(path, start, f"{type(error).__name__}: {error}") from error


class Source:
    """A binary stream that knows how far it was read and can look ahead, seekable or not: what `genops` needs, and no more."""

    def __init__(self, file: Any) -> None:
        """Read from `file`, which has `read` and `readline`."""
        self.file, self.offset, self._ahead = file, 0, b""

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end, without passing them."""
        while len(self._ahead) < size:
            more = self.file.read(size - len(self._ahead))
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end."""
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(data) < size:
            data = b"".join((data, *self._pieces(size - len(data))))
        self.offset += len(data)
        return data

    def _pieces(self, size: int) -> Iterator[bytes]:
        """Yield `size` bytes in pieces: a length that a file claims allocates nothing."""
        while size > 0 and (piece := self.file.read(min(size, _PIECE))):
            size -= len(piece)
            yield piece

    def readline(self) -> bytes:
        """Return the rest of the line."""
        line, newline, rest = self._ahead.partition(b"\n")
        data, self._ahead = (line + newline, rest) if newline else (line + self.file.readline(), b"")
        self.offset += len(data)
        return data

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self.offset


class _Machine:
    """A stack machine that knows the opcodes of protocols 0 to 5, and what may be built."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.count = 0

    def run(self, file: Any) -> Any:
        for opcode, argument, _ in pickletools.genops(file):
            self.count += 1
            if self.count > MAX_ITEMS:
                raise ValueError("too many objects")
            if opcode.name == "STOP":
                return _finish(self.stack.pop(), {})
            _OPCODES[opcode.name](self, argument)
        raise ValueError("cut off")

    def pop_mark(self) -> list[Any]:
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("a mark is missing")
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif isinstance(target, set):
            target.update(map(_hashable, items))
        elif isinstance(target, _Built):
            target.args = (*_as_tuple(target.args), *items)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        pairs = zip(items[::2], items[1::2], strict=True)
        if isinstance(target, dict):
            target.update((_hashable(key), value) for key, value in pairs)
        elif isinstance(target, _Built) and target.name.endswith("OrderedDict"):
            target.args = (*_as_tuple(target.args), *([key, value] for key, value in pairs))

    def reduce(self) -> None:
        args = self.stack.pop()
        called = self.stack.pop()
        self.push(_Built(_called(called), args))

    def build(self) -> None:
        state = self.stack.pop()
        if isinstance(self.stack[-1], _Built):
            self.stack[-1].state = state

    def stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.push(_Global(f"{module}.{name}"))

    def instance(self, name: str) -> None:
        self.push(_Built(name.replace(" ", "."), tuple(self.pop_mark())))

    def object_(self) -> None:
        called, *args = self.pop_mark()
        self.push(_Built(_called(called), tuple(args)))

    def new_object(self, with_keywords: bool) -> None:
        if with_keywords:
            self.stack.pop()
        self.reduce()

    def memoize(self, at: int | None) -> None:
        self.memo[len(self.memo) if at is None else at] = self.stack[-1]


def _called(called: Any) -> str:
    """Return the name of what is called; of a class that a pickle itself makes, the name that it is given there."""
    if isinstance(called, _Global):
        return called.name
    if isinstance(called, _Built) and isinstance(called.args, tuple):
        return next((f"{called.name}.{arg}" for arg in called.args if isinstance(arg, str)), called.name)
    return "?"


def _tuple(machine: _Machine, size: int) -> None:
    items = machine.stack[len(machine.stack) - size :]
    if len(items) < size:
        raise ValueError("the stack is too short")
    del machine.stack[len(machine.stack) - size :]
    machine.push(tuple(items))


def _pop(machine: _Machine) -> None:
    machine.stack.pop()


def _literal(machine: _Machine, argument: Any) -> None:
    machine.push(argument)


def _constant(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(value)


_LITERALS = (
    "INT LONG LONG1 LONG4 BININT BININT1 BININT2 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8"
)

_OPCODES: dict[str, Callable[[_Machine, Any], Any]] = {
    **dict.fromkeys(_LITERALS.split(), _literal),
    "BYTEARRAY8": lambda m, a: m.push(bytearray(a)),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "MARK": lambda m, _: m.push(_MARK),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_SET": lambda m, _: m.push(set()),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "LIST": lambda m, _: m.push(m.pop_mark()),
    "TUPLE": lambda m, _: m.push(tuple(m.pop_mark())),
    "TUPLE1": lambda m, _: _tuple(m, 1),
    "TUPLE2": lambda m, _: _tuple(m, 2),
    "TUPLE3": lambda m, _: _tuple(m, 3),
    "DICT": lambda m, _: m.push(_pairs(m.pop_mark())),
    "FROZENSET": lambda m, _: m.push(frozenset(map(_hashable, m.pop_mark()))),
    "APPEND": lambda m, _: m.append([m.stack.pop()]),
    "APPENDS": lambda m, _: m.append(m.pop_mark()),
    "ADDITEMS": lambda m, _: m.append(m.pop_mark()),
    "SETITEM": lambda m, _: m.set_items([m.stack.pop(), m.stack.pop()][::-1]),
    "SETITEMS": lambda m, _: m.set_items(m.pop_mark()),
    "PUT": lambda m, a: m.memoize(a),
    "BINPUT": lambda m, a: m.memoize(a),
    "LONG_BINPUT": lambda m, a: m.memoize(a),
    "MEMOIZE": lambda m, _: m.memoize(None),
    "GET": lambda m, a: m.push(m.memo[a]),
    "BINGET": lambda m, a: m.push(m.memo[a]),
    "LONG_BINGET": lambda m, a: m.push(m.memo[a]),
    "GLOBAL": lambda m, a: m.push(_Global(str(a).replace(" ", "."))),
    "STACK_GLOBAL": lambda m, _: m.stack_global(),
    "REDUCE": lambda m, _: m.reduce(),
    "BUILD": lambda m, _: m.build(),
    "INST": lambda m, a: m.instance(str(a)),
    "OBJ": lambda m, _: m.object_(),
    "NEWOBJ": lambda m, _: m.new_object(False),
    "NEWOBJ_EX": lambda m, _: m.new_object(True),
    "POP": lambda m, _: _pop(m),
    "POP_MARK": lambda m, _: m.pop_mark() and None,
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "PROTO": lambda _m, _: None,
    "FRAME": lambda _m, _: None,
    "EXT1": lambda m, a: m.push(_Global(f"extension {a}")),
    "EXT2": lambda m, a: m.push(_Global(f"extension {a}")),
    "EXT4": lambda m, a: m.push(_Global(f"extension {a}")),
    "PERSID": lambda m, a: m.push(Unsupported(f"persistent {a}")),
    "BINPERSID": lambda m, _: m.push(Unsupported(f"persistent {type(m.stack.pop()).__name__}")),
    "NEXT_BUFFER": lambda m, _: m.push(Unsupported("out-of-band buffer")),
    "READONLY_BUFFER": lambda _m, _: None,
}


def _pairs(items: list[Any]) -> dict[Any, Any]:
    return {_hashable(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def _hashable(value: Any) -> Any:
    return hashable(_finish(value, {}))


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()


# ── building, by our own code ────────────────────────────────────────────────────────────────────────────────────


def _finish(value: Any, seen: dict[int, Any]) -> Any:
    """Replace what is under construction by values, in containers too; containers keep their identity, cycles included."""
    if isinstance(value, _Built):
        if value.value is _MISSING:
            value.value = Unsupported(value.name)
            value.value = _make(value, seen)
        return value.value
    if isinstance(value, _Global):
        return Unsupported(value.name)
    if isinstance(value, tuple):
        return tuple(_finish(item, seen) for item in value)
    if isinstance(value, (list, dict)) and id(value) not in seen:
        seen[id(value)] = value
        if isinstance(value, list):
            value[:] = [_finish(item, seen) for item in value]
        else:
            items = [(_finish(key, seen), _finish(item, seen)) for key, item in value.items()]
            value.clear()
            value.update(items)
    return value


def _make(built: _Built, seen: dict[int, Any]) -> Any:
    builder = BUILDERS.get(built.name)
    if builder is None:
        return _color(built, seen) if built.name.rpartition(".")[2] == "Color" else Unsupported(built.name)
    if not isinstance(built.args, tuple):
        return Unsupported(built.name)
    try:
        return builder([_raw(arg, seen) for arg in built.args], _raw(built.state, seen))
    except FAULTS:
        return Unsupported(built.name)


def _raw(value: Any, seen: dict[int, Any]) -> Any:
    """Like `_finish`, but a name stays a name: a dtype or a class among arguments."""
    return (
        value if isinstance(value, _Global) else tuple(_raw(v, seen) for v in value) if isinstance(value, tuple) else _finish(value, seen)
    )


def _color(built: _Built, seen: dict[int, Any]) -> Any:
    """Return the value of a `Color` of earlier releases."""
    state = _finish(built.state, seen)
    state = state[1] if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict) else state
    if isinstance(state, dict):
        return state.get("value", Unsupported(built.name))
    args = _finish(built.args, seen)
    return args[0] if isinstance(args, tuple) and args else Unsupported(built.name)
