"""Names of layers: paths from the hierarchy that exporters leave in node names, scopes and weights' names."""

from __future__ import annotations

import re
from collections import Counter

from ..layers.opaque import Opaque
from ..layers.registry import KINDS
from ..limits import NAME_CHARACTERS, PATH_CHARACTERS
from ..network import RESERVED
from .builder import Step

DEEPEST = 16
SHORT = PATH_CHARACTERS // DEEPEST - DEEPEST
"""Characters of a name in a path that would be too long."""
MEANINGLESS = re.compile(r"(?:n|node|op|layer)?_?\d*(?:_\d+)*|node_.*|[A-Z]\w*_\d+|.*#.*", re.DOTALL)
"""Node names that say nothing but the operator and a number."""
ANONYMOUS = re.compile(r"[a-z]?\d*|.*(?:::|onnx).*", re.DOTALL)
"""Tensor names that say nothing."""
SUFFIX = re.compile(
    r"(?:[._/](?:weight|kernel|gamma|scale|w|s|slope)(?:_quantized)?(?:[_:/]?\d+)?|_(?:bn)?_?(?:w|s|scale)_\d+)$"
)
"""What a weight's name adds to that of its layer."""
SCOPES = "pkg.torch.onnx.name_scopes"


def step_paths(inputs: list[str], steps: list[Step]) -> list[str]:
    """A unique path for each input and step, of names that the language allows; the steps of a group stand together.

    The only input is `input`. Names of the file that say nothing are replaced by the layer's kind.
    """
    modules = [_module(step) for step in steps]
    first = {module[0] for module in modules if module}
    if len(first) == 1 and all(module is None or len(module) > 1 for module in modules):
        modules = [module and module[1:] for module in modules]
    scoped = _scoped(modules, [_ends_a_block(step) for step in steps])
    below = Counter(tuple(module[:depth]) for module in scoped for depth in range(1, len(module) + 1))
    parts: list[list[str]] = []
    for module, given, step in zip(scoped, modules, steps, strict=True):
        alone = given is not None and below[tuple(module)] == 1 and module
        path = _clean(list(module), _word(step) if alone else None)
        if not alone:
            path.append(_word(step))
        parts.append(path)
    heads = [["input"]] if len(inputs) == 1 else [_clean([name], None) for name in inputs]
    return _unique([*heads, *_contiguous(parts)])


def _module(step: Step) -> list[str] | None:
    """The module that a step belongs to, from outermost; None where nothing says it."""
    node = step.node
    scopes: list[str] = re.findall(r"'([^']*)'", node.metadata.get(SCOPES, ""))
    if len(scopes) > 1 and scopes[-2]:
        return (_of_weights(step) or scopes[-2].split("."))[:DEEPEST]
    name = node.name
    if name.startswith("/"):
        found: list[str] = []
        before = ""
        for component in name.split("/")[1:-1]:
            own = component.removeprefix(f"{before}.") if before else component
            found += own.split(".")
            before = component
        return found[:DEEPEST]
    if name and not MEANINGLESS.fullmatch(name):
        return _components(name)
    held = _of_weights(step)
    if held is not None:
        return held
    if not name and node.outputs and not ANONYMOUS.fullmatch(node.outputs[0]):
        return _components(node.outputs[0])
    return None


def _of_weights(step: Step) -> list[str] | None:
    """The module that a layer's weights belong to: that of a convolution, be a batch norm folded into it."""
    for weight in step.weights:
        stem = SUFFIX.sub("", weight)
        if stem != weight and not ANONYMOUS.fullmatch(stem):
            return _components(stem)
    return None


def _components(name: str) -> list[str] | None:
    """The parts of a name: between slashes where it has some, else between dots."""
    return [part for part in name.split("/" if "/" in name else ".") if part][:DEEPEST] or None


def _ends_a_block(step: Step) -> bool:
    """Whether it is an activation or a join."""
    joins = step.layer is not None and step.layer.joins
    return joins or KINDS.get(step.kind, ("", ""))[0] == "activation"


def _scoped(modules: list[list[str] | None], ends: list[bool]) -> list[list[str]]:
    """Modules of all steps: one that has none belongs to what the named steps before and after it share.

    Activations and joins end the block before them: the sum and the relu between two blocks are the first one's.
    """
    following: list[list[str]] = [[]] * len(modules)
    after: list[str] = []
    for index in reversed(range(len(modules))):
        own = modules[index]
        after = own if own is not None else after
        following[index] = after
    result: list[list[str]] = []
    before: list[str] = []
    inside = False
    for own, later, end in zip(modules, following, ends, strict=True):
        if own is not None:
            before, inside = own, True
            result.append(own)
            continue
        block = before[: 2 if len(before) > 2 and before[1].isdigit() else 1]
        shared = 0
        while shared < min(len(before), len(later)) and before[shared] == later[shared]:
            shared += 1
        inside = inside and end
        if inside and shared < len(block) < len(before):
            result.append(block)
        else:
            result.append(before[:shared] if shared < len(later) else later[:-1])
    return result


def _word(step: Step) -> str:
    """What a step is as a name: its kind, of an opaque one its operator: GridSample is `gridsample`."""
    text = step.layer.operator.lower() if isinstance(step.layer, Opaque) else step.kind
    return re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")[:NAME_CHARACTERS] or "layer"


def _clean(components: list[str], kind: str | None) -> list[str]:
    """Components as names of the language; a number joins the name before it, and as a leaf it follows the kind."""
    path: list[str] = []
    for position, component in enumerate(components):
        word = re.sub(r"[^A-Za-z0-9_-]+", "_", component).lstrip("-") or "_"
        if word.isdigit():
            leaf = position == len(components) - 1 and kind is not None
            if leaf:
                path.append(f"{kind}_{word}")
            elif path:
                path[-1] += f"_{word}"
            else:
                path.append(f"layer_{word}")
        else:
            path.append(f"{word}_" if word in RESERVED else word)
    cut = [word[:NAME_CHARACTERS] for word in path]
    return cut if len(".".join(cut)) < PATH_CHARACTERS - NAME_CHARACTERS else [word[:SHORT] for word in path]


def _contiguous(parts: list[list[str]]) -> list[list[str]]:
    """Paths whose every prefix stands in one run: a group that others interrupt gives its name to its members."""
    depth = 0
    while any(len(path) > depth + 1 for path in parts):
        runs: Counter[tuple[str, ...]] = Counter()
        leaves: set[tuple[str, ...]] = set()
        last: tuple[str, ...] = ()
        for path in parts:
            prefix = tuple(path[: depth + 1])
            if len(path) == depth + 1:
                leaves.add(prefix)
            if prefix != last and len(path) > depth:
                runs[prefix] += 1
            last = prefix
        broken = {prefix for prefix, count in runs.items() if count > 1 or prefix in leaves}
        merged = False
        for path in parts:
            if len(path) > depth + 1 and tuple(path[: depth + 1]) in broken:
                path[depth : depth + 2] = [f"{path[depth]}_{path[depth + 1]}"[:NAME_CHARACTERS]]
                merged = True
        if not merged:
            depth += 1
    return parts


def _unique(parts: list[list[str]]) -> list[str]:
    """The paths with numbers after those that stand twice."""
    groups = {".".join(path[:depth]) for path in parts for depth in range(1, len(path))}
    taken: dict[str, int] = {}
    found: set[str] = set(groups)
    result: list[str] = []
    for path in parts:
        name = ".".join(path)
        count = taken.get(name, 0)
        candidate = name
        while candidate in found:
            count += 1
            number = f"_{count + 1}"
            candidate = name[: len(name) + min(NAME_CHARACTERS - len(path[-1]) - len(number), 0)] + number
        taken[name] = count
        found.add(candidate)
        result.append(candidate)
    return result
