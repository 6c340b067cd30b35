"""Write `src/api/types.ts` from the structs of `ml_logger.queries`, `answers` and `commands`; knows nothing of what they mean.

`python dashboard/generate_types.py` writes the file, `--check` only compares and ends with status 1 if it differs.
Fields of questions and commands that have a default are optional; an answer always carries all its fields.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import msgspec
from msgspec import inspect

from ml_logger import commands, queries

TARGET = Path(__file__).resolve().parent / "src" / "api" / "types.ts"
HEAD = """// Made by generate_types.py from queries.py, answers.py, commands.py; `python dashboard/generate_types.py` renews it.

/** A JSON value; non-finite floats and large integers come as {"$f": "nan"} and {"$i": "…"}. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
"""
PLAIN = {
    inspect.AnyType: "Json",
    inspect.NoneType: "null",
    inspect.BoolType: "boolean",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.StrType: "string",
}


def spelled(kind: inspect.Type) -> str:
    """Return the TypeScript of a type."""
    if type(kind) in PLAIN:
        return PLAIN[type(kind)]
    match kind:
        case inspect.StructType():
            return kind.cls.__name__
        case inspect.LiteralType():
            return " | ".join(f'"{value}"' for value in kind.values)
        case inspect.UnionType():
            return " | ".join(spelled(member) for member in kind.types)
        case inspect.ListType():
            item = spelled(kind.item_type)
            return f"({item})[]" if "|" in item else f"{item}[]"
        case inspect.DictType():
            return f"Record<{spelled(kind.key_type)}, {spelled(kind.value_type)}>"
    raise NotImplementedError(f"no TypeScript for {kind!r}: add it to {Path(__file__).name}")


def interface(cls: type[msgspec.Struct], asked: set[type]) -> str:
    """Return the declaration of one struct; structs in `asked` are what the page sends."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    lines = [f"/** {(cls.__doc__ or '').strip().splitlines()[0]} */", f"export interface {cls.__name__} {{"]
    if info.tag_field:
        lines.append(f'  {info.tag_field}: "{info.tag}";')
    for part in info.fields:
        mark = "?" if cls in asked and not part.required else ""
        lines.append(f"  {part.encode_name}{mark}: {spelled(part.type)};")
    return "\n".join([*lines, "}"])


def below(roots: list[type]) -> list[type[msgspec.Struct]]:
    """Return the structs that `roots` are made of, themselves included, in a stable order."""
    found: dict[type, None] = {}

    def visit(kind: inspect.Type) -> None:
        if isinstance(kind, inspect.StructType) and kind.cls not in found:
            found[kind.cls] = None
            for part in kind.fields:
                visit(part.type)
        for name in ("types", "item_type", "value_type"):
            inner = getattr(kind, name, ())
            for member in inner if isinstance(inner, tuple) else (inner,):
                visit(member)

    for root in roots:
        visit(inspect.type_info(root))
    return list(found)


def render() -> str:
    """Return the whole file."""
    questions, changes = list(get_args(queries.AnyQuery)), list(get_args(commands.AnyCommand))
    answers = [*dict.fromkeys(queries.ANSWER_OF.values()), commands.Done, answers_change()]
    asked = below([*questions, *changes])
    declared = [interface(cls, set(asked)) for cls in dict.fromkeys([*asked, *below(answers)])]
    unions = [
        f"export type AnyQuery = {' | '.join(cls.__name__ for cls in questions)};",
        f"export type AnyCommand = {' | '.join(cls.__name__ for cls in changes)};",
        "/** What each question is answered with, by its type. */\nexport interface AnswerOf {",
        *[f"  {inspect.type_info(cls).tag}: {answer.__name__};" for cls, answer in queries.ANSWER_OF.items()],
        "}",
    ]
    return "\n".join([HEAD, "\n\n".join(declared), "", "\n".join(unions), ""])


def answers_change() -> type[msgspec.Struct]:
    """Return the struct of live notices, which answers no question."""
    from ml_logger.answers import Change

    return Change


def main(arguments: list[str]) -> int:
    """Write the file, or compare it with `--check`."""
    text = render()
    if "--check" not in arguments:
        TARGET.write_text(text, "utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text("utf-8") == text:
        return 0
    print(f"{TARGET.name} differs from queries.py: run `python dashboard/generate_types.py`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
