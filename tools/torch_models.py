"""Record what PyTorch says of the models of torchvision and timm: parameters, multiply-accumulates, shapes of outputs.

python -m tools.torch_models                       every model that runs, into tests/oracle/torch_models.json.gz
python -m tools.torch_models --only 'timm/swin*'   prints the answers for some
python -m tools.torch_models --tapes FOLDER        writes each model's tape there too

Needs PyTorch, torchvision and timm. Models are built and run without numbers, at a batch of 1. Multiply-accumulates
are half the operations that torch.utils.flop_counter counts below Python, so that no formula of convcalc has a part in
them; parameters are those of `model.parameters()`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models as vision

from convcalc.torch.live.build import build
from convcalc.torch.live.record import Input, record
from convcalc.torch.spec import ModelSpec
from convcalc.torch.tape import to_json

RECORD = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "torch_models.json.gz"
TAPES = RECORD.with_name("torch_tapes.json.gz")
SAMPLE = (
    *("torchvision/alexnet", "torchvision/googlenet", "torchvision/shufflenet_v2_x0_5", "torchvision/vit_b_16"),
    *("torchvision/swin_v2_t", "torchvision/maxvit_t", "torchvision/lraspp_mobilenet_v3_large"),
    *("timm/coat_lite_tiny", "timm/nf_resnet26", "timm/tf_mixnet_s", "timm/beit_base_patch16_224"),
    *("timm/convnextv2_atto", "timm/crossvit_tiny_240", "timm/gcvit_small", "timm/volo_d1_224"),
)
"""Models whose tapes stand in tests/oracle/torch_tapes.json.gz, one a mechanism."""
VIDEO = (3, 16, 112, 112)


class Model(NamedTuple):
    """A model, how it is built, and its input."""

    name: str
    spec: str
    arguments: dict[str, object]
    input: tuple[int, ...]


def models() -> Iterator[Model]:
    """Every model of torchvision that is one call on one image or film, and every one of timm.

    Of those that choose among numbers, detectors and optical flow, the parts before that.
    """
    for name in vision.list_models():
        module = vision.get_model_builder(name).__module__
        if "quantization" in module:
            continue
        if "detection" in module:
            size = (3, 300, 300) if name == "ssd300_vgg16" else (3, 320, 320)
            untrained: dict[str, object] = {"weights": None, "weights_backbone": None}
            yield Model(f"torchvision/{name}.backbone", f"{module}:{name}.backbone", untrained, size)
            continue
        if "optical_flow" in module:
            for part in ("feature_encoder", "context_encoder"):
                yield Model(f"torchvision/{name}.{part}", f"{module}:{name}.{part}", {"weights": None}, (3, 128, 128))
            continue
        arguments: dict[str, object] = {"weights": None}
        if "segmentation" in module:
            arguments["weights_backbone"] = None
        if name in ("googlenet", "inception_v3"):
            arguments["init_weights"] = False
        size = (3, 299, 299) if name == "inception_v3" else (3, 224, 224)
        if "video" in module:
            size = (3, 16, 224, 224) if name.startswith(("mvit", "s3d", "swin3d")) else VIDEO
        yield Model(f"torchvision/{name}", f"{module}:{name}", arguments, size)
    for name in timm.list_models():
        size = timm.models.get_pretrained_cfg(name).input_size
        yield Model(f"timm/{name}", "timm:create_model", {"model_name": name}, tuple(size))


def answers(module: nn.Module, input: tuple[int, ...]) -> dict[str, Any]:
    """What PyTorch says of a model on the meta device."""
    module = module.eval().requires_grad_(False).to("meta")
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = module(torch.empty(1, *input))
    return {
        "input": list(input),
        "params": sum(parameter.numel() for parameter in module.parameters()),
        "macs": counter.get_total_flops() // 2,
        "outputs": shapes(output),
    }


def shapes(output: Any) -> list[list[int]]:
    """Of all tensors that a model puts out, without the batch."""
    if isinstance(output, Tensor):
        return [list(output.shape[1:])]
    parts = output.values() if isinstance(output, dict) else output
    return [shape for part in parts for shape in shapes(part)]


def versions() -> dict[str, str]:
    """Those of the packages that answer."""
    return {package.__name__: str(package.__version__) for package in (torch, torchvision, timm)}


def write_record(found: dict[str, Any]) -> None:
    """Put answers into tests/oracle, in place of those that stand there."""
    _write(RECORD, {"versions": versions(), "models": dict(sorted(found.items()))})


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_bytes(gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 9, mtime=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="*", metavar="PATTERN")
    parser.add_argument("--tapes", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    tapes: dict[str, Any] = {}
    for model in models():
        if not fnmatch(model.name, options.only):
            continue
        started = time.perf_counter()
        try:
            module = build(ModelSpec(*model.spec.split(":")), model.arguments, "meta")
            said = answers(module, model.input)
            if options.tapes is not None or model.name in SAMPLE:
                tape = to_json(record(module, [Input(model.input)], own=True))
                if model.name in SAMPLE:
                    tapes[model.name] = tape
                if options.tapes is not None:
                    path = options.tapes / f"{model.name.replace('/', '-')}.json.gz"
                    path.write_bytes(gzip.compress(json.dumps({**tape, "answers": said}).encode(), 4))
        except Exception as error:
            print(f"{model.name}: {type(error).__name__}: {str(error)[:120]!r}", file=sys.stderr, flush=True)
            continue
        found[model.name] = said
        print(f"{model.name} {said['params']} {said['macs']} {time.perf_counter() - started:.2f} s", flush=True)
    if options.only == "*":
        write_record(found)
        _write(TAPES, tapes)


if __name__ == "__main__":
    main()
