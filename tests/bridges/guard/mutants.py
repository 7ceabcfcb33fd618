"""Takes the guard's checks out one at a time: each `if`, each limit of a list, each transition."""

import ast
import copy
import inspect
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.episode import Limit


@dataclass(frozen=True)
class Mutant:
    """One function with one thing in it changed. what: the source of the change, for a person."""

    function: types.FunctionType
    code: types.CodeType
    what: str

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Every caller of the function meets the mutant for a while."""
        sound = self.function.__code__
        self.function.__code__ = self.code
        try:
            yield
        finally:
            self.function.__code__ = sound


def mutants(module: types.ModuleType) -> list[Mutant]:
    """All mutants of a module's functions and methods."""
    tree = ast.parse(inspect.getsource(module))
    found = []
    for name, function in _functions(module):
        sound = _node(tree, name)
        for number in range(len(_changes(sound))):
            node = copy.deepcopy(sound)
            change, what = _changes(node)[number]
            change()
            code = _compiled(node, module.__file__)
            found.append(Mutant(function, code, f"{function.__qualname__}: {what}"))
    return found


def _functions(module: types.ModuleType) -> Iterator[tuple[str, types.FunctionType]]:
    for name, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            yield name, value
        if inspect.isclass(value) and value.__module__ == module.__name__:
            for inner, method in vars(value).items():
                # Not what dataclass or enum have made.
                ours = inspect.isfunction(method) and method.__module__ == module.__name__
                if ours and not inner.startswith("__"):
                    yield f"{name}.{inner}", method


def _node(tree: ast.AST, name: str) -> ast.FunctionDef:
    for part in name.split("."):
        tree = next(
            each for each in tree.body
            if isinstance(each, ast.FunctionDef | ast.ClassDef) and each.name == part
        )  # fmt: skip
    return tree


def _compiled(node: ast.FunctionDef, file: str) -> types.CodeType:
    """The function's code. A method is compiled outside its class: none here says `super`."""
    node.decorator_list = []
    whole = ast.Module([ast.parse("from __future__ import annotations").body[0], node], [])
    space: dict = {"Limit": Limit, "NO_LIMIT": Limit(0)}
    exec(compile(ast.fix_missing_locations(whole), file, "exec"), space)
    return space[node.name].__code__


def _changes(function: ast.AST) -> list[tuple[Callable[[], None], str]]:
    """What can be taken out of a function, in a fixed order."""
    return [change for node in ast.walk(function) for change in _changes_of(node)]


def _changes_of(node: ast.AST) -> Iterator[tuple[Callable[[], None], str]]:  # noqa: C901  a list
    match node:
        case ast.If() | ast.IfExp():
            yield _never(node), f"never: if {ast.unparse(node.test)}"
        case ast.BoolOp():
            for part in node.values:
                yield _neutral(node, part), f"without: {ast.unparse(part)}"
        case ast.Tuple(elts=[ast.Tuple(), *_]):
            for part in node.elts:
                yield _without(node.elts, part), f"without: {ast.unparse(part)}"
        case ast.Call(func=ast.Name(id="min" | "max"), args=[first, second]):
            for part in (first, second):
                yield _only(node, part), f"only {ast.unparse(part)} of {ast.unparse(node)}"
        case ast.Expr(value=ast.Call()):
            yield _no(node), f"no call: {ast.unparse(node)}"
        case ast.AugAssign(op=ast.BitOr()):
            yield _untold(node), f"untold: {ast.unparse(node)}"


def _never(node: ast.If | ast.IfExp) -> Callable[[], None]:
    def change() -> None:
        node.test = ast.Constant(value=False)

    return change


def _without(parts: list, part: ast.AST) -> Callable[[], None]:
    return lambda: parts.remove(part)


def _neutral(node: ast.BoolOp, part: ast.AST) -> Callable[[], None]:
    def change() -> None:
        node.values[node.values.index(part)] = ast.Constant(isinstance(node.op, ast.And))

    return change


def _only(node: ast.Call, part: ast.AST) -> Callable[[], None]:
    def change() -> None:
        node.func, node.args = ast.Name("float", ast.Load()), [part]

    return change


def _no(node: ast.Expr) -> Callable[[], None]:
    def change() -> None:
        node.value = ast.Constant(None)

    return change


def _untold(node: ast.AugAssign) -> Callable[[], None]:
    def change() -> None:
        node.value = ast.Call(ast.Name("Limit", ast.Load()), [ast.Constant(0)], [])

    return change
