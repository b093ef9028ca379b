"""Names of functions: what PyTorch calls one function in several places."""

from __future__ import annotations

from functools import cache

MODULES = (
    "torch.nn.functional.",
    "torch._C._nn.",
    "torch._VF.",
    "torch.functional.",
    "torch.special.",
    "torch.Tensor.",
    "torch.ops.aten.",
    "torch._VariableFunctionsClass.",
    "torch.",
)
REVERSED = {"radd": "add", "rmul": "mul", "rsub": "rsub", "rtruediv": "rtruediv", "rpow": "rpow", "rmatmul": "rmatmul"}
OPERATORS = {
    "truediv": "div",
    "iadd": "add",
    "isub": "sub",
    "imul": "mul",
    "itruediv": "div",
    "idiv": "div",
    "ipow": "pow",
    "div": "div",
}


@cache
def base_name(function: str) -> str:
    """The name that a function, a method, an operator in place and an ATen operator share.

    >>> base_name("torch.nn.functional.conv2d"), base_name("aten.add_.Tensor"), base_name("torch.Tensor.__iadd__")
    ('conv2d', 'add', 'add')
    >>> base_name("torch.Tensor.T.__get__"), base_name("torch.linalg.norm"), base_name("torch.Tensor.__getitem__")
    ('T', 'linalg_norm', '__getitem__')
    """
    if function in ("torch.Tensor.unfold", "aten.unfold.default"):
        return "unfold_windows"
    name = function
    if name.startswith("aten."):
        name = name.split(".")[1]
    else:
        for module in MODULES:
            if name.startswith(module):
                name = name.removeprefix(module)
                break
    name = name.removesuffix(".__get__").replace("linalg.", "linalg_")
    if name in ("__getitem__", "__setitem__"):
        return name
    if name.startswith("__") and name.endswith("__"):
        plain = name.strip("_")
        return REVERSED.get(plain) or OPERATORS.get(plain) or plain
    return name.removesuffix("_") if not name.endswith("__") else name
