"""Small changes of a module that some test should notice: those of Cosmic Ray, less the pointless ones."""

from __future__ import annotations

import ast
import random
import re
from dataclasses import dataclass

OPERATORS = re.compile(
    r"(AddNot|Replace[A-Z][a-z]+With[A-Z][a-z]+|ExceptionReplacer|NumberReplacer|ZeroIterationForLoop"
    r"|ReplaceUnaryOperator_(Delete_Not|USub_UAdd|Invert_USub)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Mod_FloorDiv|Pow_Mul|MatMul_Mul"
    r"|BitOr_BitAnd|BitAnd_BitOr|BitXor_BitOr|LShift_RShift|RShift_LShift)"
    r"|ReplaceComparisonOperator_(Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is))$"
)
"""One replacement for each operator, the nearest: what tells `<` from `<=` tells it from `>`, too."""


@dataclass(frozen=True)
class Change:
    """One change of a module: which, and how its line reads before and after."""

    module: str
    line: int
    operator: str
    before: str
    after: str
    source: str
    """The whole module, changed."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What a judgement is found by: line numbers move with every edit above them."""
        return self.module, self.before, self.after


def changes_of(module: str, source: str, share: float = 1.0, seed: int = 0) -> tuple[list[Change], int]:
    """Return changes of a module that may alter what it does, all or a share, and how many there are."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    idle = idle_lines(source)
    nodes = list(ast_nodes(get_ast(source)))
    places = []
    for name in sorted(operator_names()):
        _, _, short = name.rpartition("/")
        if not OPERATORS.match(short):
            continue
        operator = get_operator(name)()
        starts = [start for node in nodes for (start, _), _ in operator.mutation_positions(node)]
        places += [(short, operator, turn) for turn, line in enumerate(starts) if line not in idle]
    some = sorted(random.Random(f"{seed} {module}").sample(range(len(places)), round(share * len(places))))
    changes = []
    for name, operator, turn in (places[number] for number in some):
        changed = mutate_code(source, operator, turn)
        assert changed is not None, "Cosmic Ray counts the places of an operator in another way"
        line, before, after = first_difference(source, changed)
        if line and not same_program(source, changed):
            changes.append(Change(module, line, name, before, after, changed))
    return changes, len(places)


def first_difference(source: str, changed: str) -> tuple[int, str, str]:
    """Return the number of the first line that differs, and how it reads in both."""
    pairs = zip(source.splitlines(), changed.splitlines(), strict=False)
    for number, (before, after) in enumerate(pairs, start=1):
        if before != after:
            return number, before.strip(), after.strip()
    return 0, "", ""


def idle_lines(source: str) -> set[int]:
    """Return the lines that only a reader of types runs."""
    blocks = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {line for node in blocks for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def same_program(source: str, changed: str) -> bool:
    """Whether two texts differ in annotations alone, which nothing evaluates."""
    try:
        return without_annotations(source) == without_annotations(changed)
    except SyntaxError:  # told by the tests, which cannot import it
        return False


def without_annotations(source: str) -> str:
    """Return a module as a tree in text, without its annotations."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)
