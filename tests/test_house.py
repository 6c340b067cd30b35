"""The house holds: floors, nevers, sizes and words, read from the source itself. Knows nothing of behaviour."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent
SRC = HERE / "src" / "ml_logger"
FILES = sorted(SRC.rglob("*.py"))

FLOORS = {
    "errors": 1, "summary": 1, "console": 1, "beneath": 1,
    "keys": 2, "settings": 2, "safe_fs": 2.5, "credentials": 2, "local_places": 2.5, "elsewhere": 2.6,
    "records": 3, "answers": 3, "commands": 3,
    "queries": 4, "formats": 4, "media": 4,
    "store": 5, "bucket": 5.5,
    "query": 6, "reading": 7,
    "client": 7, "server": 7,
    "session": 8,
    "methods": 9,
    "logger": 10,
    "cli": 11, "job": 11, "nb": 11, "integrations": 11, "shims": 11, "importers": 11, "__init__": 11.5, "__main__": 12,
}  # fmt: skip

SHRUGS = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "lib", "core", "base_utils"}

HEAVY = {"numpy", "torch", "matplotlib", "PIL", "starlette", "granian", "pandas", "polars", "pyarrow", "scipy", "imageio_ffmpeg", "apsw"}


def module_name(path: Path) -> str:
    """Return the dotted name below the package: ``client.journal``."""
    parts = list(path.relative_to(SRC).with_suffix("").parts)
    return ".".join(parts[:-1] or ["__init__"]) if parts[-1] == "__init__" else ".".join(parts)


def room(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Return (imported module, at the top level) for every import, those inside functions included."""
    found = []
    top = set(map(id, tree_of(path).body))
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(name if is_module(name) else node.module, id(node) in top) for name in names]
        elif isinstance(node, ast.ImportFrom):
            found.append((f"ml_logger.{module_name(path).rpartition('.')[0]}.{node.module or ''}".rstrip("."), id(node) in top))
    return found


def is_module(dotted: str) -> bool:
    below = Path(*dotted.split(".")[1:]) if dotted.startswith("ml_logger.") else None
    return below is not None and ((SRC / below).with_suffix(".py").exists() or (SRC / below / "__init__.py").exists())


def own_imports(path: Path) -> set[str]:
    """Return the modules of this package that `path` imports."""
    prefix = "ml_logger."
    return {name.removeprefix(prefix) for name, _ in imports_of(path) if name.startswith(prefix) and name != prefix.rstrip(".")}


def functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(f"{module_name(p)}:{n.name}", n) for p in FILES for n in ast.walk(tree_of(p)) if isinstance(n, kinds)]


def length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_go_down(path: Path) -> None:
    here = module_name(path)
    assert room(here) in FLOORS, f"{here}: which floor is this room on?"
    for target in own_imports(path):
        assert room(target) in FLOORS, f"{here} imports {target}, which has no floor"
        same_room = room(target) == room(here)
        assert same_room or FLOORS[room(target)] < FLOORS[room(here)], f"{here} imports {target}: not downward"


def test_no_import_circle() -> None:
    graph = {module_name(path): own_imports(path) for path in FILES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, "import circle: " + " → ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for target in graph.get(name, ()):
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


NEVERS = [
    ("server", {"client", "session", "methods", "logger"}),
    ("store", {"query"}),
    ("methods", {"client", "logger"}),
    ("client", {"server"}),
]


@pytest.mark.parametrize(("where", "never"), NEVERS, ids=lambda x: x if isinstance(x, str) else "")
def test_nevers(where: str, never: set[str]) -> None:
    for path in FILES:
        if room(module_name(path)) == where:
            assert not {room(name) for name in own_imports(path)} & never, path


def test_formats_import_only_stones() -> None:
    for path in FILES:
        if room(module_name(path)) == "formats":
            assert {room(name) for name in own_imports(path)} <= {"errors", "records", "formats", "answers"}, path


def test_families_do_not_know_each_other() -> None:
    families = {
        module_name(path)
        for path in FILES
        if room(module_name(path)) == "methods"
        and any(isinstance(n, ast.ClassDef) and n.name.endswith("Methods") for n in tree_of(path).body)
    } - {"methods.base"}
    for path in FILES:
        if module_name(path) in families:
            assert not own_imports(path) & families, path


FORBIDDEN = {
    "server": {"pickle", "dill", "cloudpickle", "marshal", "shelve", "subprocess", "requests", "PIL", "jinja2", "torch"},
    "store": {"pickle", "dill", "cloudpickle", "marshal", "shelve", "subprocess"},
    "query": {"pickle", "dill", "cloudpickle", "marshal", "shelve", "subprocess"},
    "formats": {"pickle", "dill", "cloudpickle", "marshal", "shelve", "subprocess"},
    "client": {"concurrent", "pickle", "dill", "requests"},
    "session": {"concurrent"},
}


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_forbidden_libraries(path: Path) -> None:
    never = FORBIDDEN.get(room(module_name(path)), set())
    assert not {name.split(".")[0] for name, _ in imports_of(path)} & never


def test_import_is_light() -> None:
    """What `import ml_logger` reaches at the top level has no heavy import at the top level."""
    seen, todo = set(), ["__init__"]
    by_name = {module_name(path): path for path in FILES}
    while todo:
        name = todo.pop()
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        for target, top in imports_of(by_name[name]):
            assert not (top and target.split(".")[0] in HEAVY), f"{name} imports {target}"
            if top and target.startswith("ml_logger."):
                todo.append(target.removeprefix("ml_logger."))


def test_environment_is_read_in_one_place() -> None:
    for path in FILES:
        if module_name(path) == "settings":
            continue
        for node in ast.walk(tree_of(path)):
            name = f"{getattr(getattr(node, 'value', None), 'id', '')}.{getattr(node, 'attr', '')}"
            assert name not in ("os.environ", "os.getenv"), f"{path}:{getattr(node, 'lineno', 0)}"


def test_sizes() -> None:
    too_long = {module_name(p): n for p in FILES if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert not too_long
    lengths = {name: length(node) for name, node in functions()}
    assert not {name: n for name, n in lengths.items() if n > 60}
    assert sum(lengths.values()) / max(len(lengths), 1) <= 12


def test_no_shrugs() -> None:
    assert not [path for path in FILES if path.stem in SHRUGS or path.parent.name in SHRUGS]


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_docstrings(path: Path) -> None:
    """Every file, public class and public function says what it is."""
    tree = tree_of(path)
    if path.read_text("utf-8").strip():
        assert ast.get_docstring(tree), "no docstring at the top"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            members = [n for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and not n.name.startswith("_")]
            missing = [n.name for n in members if not ast.get_docstring(n) and not _overloaded(n)]
            assert node.name.startswith("_") or not missing, f"{node.name}: {missing} have no docstring"
    public = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not n.name.startswith("_")]
    assert not [n.name for n in public if not ast.get_docstring(n) and not _overloaded(n)]


def _overloaded(node: ast.stmt) -> bool:
    marks = {"overload", "setter", "override"}
    return any(getattr(d, "id", getattr(d, "attr", "")) in marks for d in getattr(node, "decorator_list", ()))


def test_broad_excepts_are_few() -> None:
    """Handlers that take anything are counted, but for those that clean up and raise it again."""
    broad = []
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.ExceptHandler) or getattr(node.type, "id", "" if node.type is None else "-") not in (
                "",
                "Exception",
                "BaseException",
            ):
                continue
            raises = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
            broad += [] if raises else [f"{module_name(path)}:{node.lineno}"]
    assert len(broad) <= 8, broad


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=HERE, capture_output=True, text=True, check=False).stdout.split("\n")
    return [HERE / name for name in listed if name and (HERE / name).is_file()]


def test_dashboard_sizes_and_barrels() -> None:
    sources = [p for p in tracked() if p.suffix in (".ts", ".tsx") and "dashboard" in p.parts]
    assert not [p for p in sources if p.name in ("index.ts", "index.tsx")]
    assert not {str(p): n for p in sources if (n := p.read_text("utf-8").count("\n")) >= 300 and p.name != "types.ts"}  # made from Python


def test_no_package_host_and_no_machine_path() -> None:
    hosts = re.compile(r"https?://(registry\.|[a-z.]*npmjs|pypi\.|files\.pythonhosted|[a-z.]*debian\.org)", re.IGNORECASE)
    places = re.compile(r"/work/(main|log|shared|\.library)|/root/")
    for path in tracked():
        if path.suffix in (".png", ".bin", ".mlog", ".pkl", ".woff2") or path == Path(__file__):
            continue
        text = path.read_text("utf-8", errors="replace")
        assert not hosts.search(text), f"{path} names a package host"
        assert not places.search(text), f"{path} names a place of one machine"


def test_lock_file_names_no_host() -> None:
    lock = HERE / "dashboard" / "package-lock.json"
    assert '"resolved"' not in lock.read_text("utf-8")
    assert json.loads(lock.read_text("utf-8"))["lockfileVersion"] >= 3


def test_readme_is_short_and_make_has_few_targets() -> None:
    assert len((HERE / "README.md").read_text("utf-8").splitlines()) <= 200
    targets = re.findall(r"^[a-z-]+:", (HERE / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert len(targets) <= 12, targets
