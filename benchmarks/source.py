"""The hash of a program: it changes when what the program does may have changed."""

import ast
import hashlib
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def fingerprint(module: str, without: frozenset[str] = frozenset()) -> str:
    """Hash of a module of ours and of all modules of its package that it imports, at any distance.

    Comments, docstrings and layout do not count.

    Args:
        module: such as ``model.painting``.
        without: modules at which to stop; they do not count.

    Returns:
        SHA-256 in hex.
    """
    trees: dict[str, ast.Module] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _ROOT.joinpath(*name.split(".")).with_suffix(".py")
        if name in trees or name in without or not file.is_file():
            continue
        trees[name] = ast.parse(file.read_text(encoding="utf-8"))
        waiting += _imported(trees[name], module.split(".", maxsplit=1)[0])
    code = "\n".join(_without_docstrings(trees[name]) for name in sorted(trees))
    return hashlib.sha256(code.encode()).hexdigest()


def _imported(tree: ast.Module, package: str) -> list[str]:
    """The modules of a package that a module imports, as ``from package import module`` too."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [name for name in found if name.split(".")[0] == package]


def _without_docstrings(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return ast.dump(tree)


def _is_text(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
        return False
    return isinstance(statement.value.value, str)
