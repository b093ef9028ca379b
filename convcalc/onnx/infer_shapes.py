"""Run in a process of its own: a model on standard input, the shapes that onnx infers on standard output.

The first line of the input is JSON: the shapes of the model's inputs, and the bytes and seconds that may be taken.
The model follows. The output is JSON: tensor -> dims, for the tensors whose dims are all known.
"""

import json
import sys


def limit(most_bytes: int, seconds: int) -> None:
    """Take no more memory and time than this, where the system has such limits."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def infer(data: bytes, inputs: dict[str, list[int]]) -> dict[str, list[int]]:
    """The dims of tensors of a model whose inputs have these dims; none where onnx cannot say."""
    import onnx
    from onnx import shape_inference

    try:
        model = onnx.load_from_string(data)
        for info in model.graph.input:
            if info.name in inputs:
                shape = info.type.tensor_type.shape
                del shape.dim[:]
                for size in inputs[info.name]:
                    shape.dim.add().dim_value = size
        del model.graph.value_info[:]
        model = shape_inference.infer_shapes(model, data_prop=True)
    except MemoryError:
        raise
    except Exception:
        # Its errors share no class with one another; what it cannot infer is reported as unknown.
        return {}
    found: dict[str, list[int]] = {}
    for info in (*model.graph.value_info, *model.graph.output):
        kind = info.type.tensor_type
        if kind.HasField("shape") and all(dim.HasField("dim_value") for dim in kind.shape.dim):
            found[info.name] = [dim.dim_value for dim in kind.shape.dim]
    return found


def main() -> None:
    asked, _, model = sys.stdin.buffer.read().partition(b"\n")
    said = json.loads(asked)
    limit(said["bytes"], said["seconds"])
    json.dump(infer(model, said["inputs"]), sys.stdout)


if __name__ == "__main__":
    main()
