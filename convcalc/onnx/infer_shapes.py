"""Run in a process of its own: nodes on standard input, the shapes of their outputs on standard output, a line each.

Each line of the input is JSON and asks about one node: its message in base 64, its tensors, the version of its
operators, and (dims, type, numbers) of what it reads, None where these are not known. The answer is JSON: output ->
dims, for the outputs whose dims are all known.
"""

import json
import sys
from base64 import b64decode
from typing import Any


def infer(asked: dict[str, Any]) -> dict[str, list[int]]:
    """The dims of the outputs of a node; none where onnx cannot say."""
    import onnx
    from onnx import helper, shape_inference

    try:
        node = onnx.NodeProto.FromString(b64decode(asked["node"]))
        for field in ("input", "output"):
            tensors = getattr(node, field)
            del tensors[:]
            tensors.extend(asked[field])
        types, numbers = {}, {}
        for name, (dims, element, known) in asked["reads"].items():
            types[name] = helper.make_tensor_type_proto(element, dims)
            if known is not None:
                numbers[name] = helper.make_tensor(name, element, dims, known)
        schema = onnx.defs.get_schema(node.op_type, asked["version"], node.domain)
        opsets = [helper.make_opsetid(node.domain, asked["version"])]
        found = shape_inference.infer_node_outputs(schema, node, types, numbers, opset_imports=opsets)
    except MemoryError:
        raise
    except Exception:
        # Its errors share no class with one another; what it cannot infer is reported as unknown.
        return {}
    shapes: dict[str, list[int]] = {}
    for name, kind in found.items():
        tensor = kind.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            shapes[name] = [dim.dim_value for dim in tensor.shape.dim]
    return shapes


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(infer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
