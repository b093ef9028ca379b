"""Export networks of torchvision and timm to ONNX by both exporters, read them, and hold them against PyTorch's counts.

python -m tools.onnx_models export FOLDER [NAME ...]    exports into FOLDER, weights cut off, beside PyTorch's counts
python -m tools.onnx_models compare FOLDER [NAME ...]   reads the files and says where they differ
python -m tools.onnx_models record FOLDER               writes tests/oracle/onnx/models.json from what is in FOLDER

`export` needs PyTorch, torchvision, timm and onnxscript, `compare` convcalc. A network is exported in a process of its
own. Its tensors get numbers that differ, for exporters store equal ones once. Counts are those of PyTorch: the numbers
of `parameters()`, and half the operations that `torch.utils.flop_counter` sees in a forward pass.
The old exporter is asked to leave all as it is; the new one folds batch norms into convolutions and computes with
tables of positions, so that parameters that are not in the file are taken off, and what came of them is added.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import traceback
from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcalc.findings import Finding
    from convcalc.network import Network

RECORD = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "onnx" / "models.json"
EXPORTERS = ("torchscript", "dynamo")
SECONDS = 300
"""That a network may take."""
MOST_DRAWN = 4096
"""Numbers of a tensor that are drawn: as many as are read; a file without its weights has no more."""
CLASSIFIERS = (
    *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "inception_v3"),
    *("maxvit_t", "mnasnet1_0", "mobilenet_v2", "mobilenet_v3_large", "regnet_x_400mf", "regnet_y_400mf", "resnet18"),
    *("resnet50", "resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_1", "swin_t", "swin_v2_t", "vgg11_bn"),
    *("vit_b_32", "wide_resnet50_2"),
)
OTHERS = (
    *("deeplabv3_mobilenet_v3_large", "fcn_resnet50", "lraspp_mobilenet_v3_large"),
    *("retinanet_resnet50_fpn", "fcos_resnet50_fpn", "ssdlite320_mobilenet_v3_large", "ssd300_vgg16"),
    *("fasterrcnn_mobilenet_v3_large_320_fpn", "maskrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn"),
    *("r3d_18", "mc3_18", "r2plus1d_18", "mvit_v1_b", "swin3d_t", "s3d"),
)
TIMM = (
    *("beit_base_patch16_224", "cait_xxs24_224", "coat_tiny", "coatnet_0_rw_224", "convit_tiny", "convmixer_768_32"),
    *("convnext_atto", "convnextv2_atto", "crossvit_tiny_240", "cs3darknet_s", "cspresnet50", "darknet53"),
    *("davit_tiny", "deit_tiny_patch16_224", "densenet121", "dla34", "dm_nfnet_f0", "dpn68", "eca_nfnet_l0"),
    *("ecaresnet50t", "edgenext_xx_small", "efficientformer_l1", "efficientformerv2_s0", "efficientnet_lite0"),
    *("efficientvit_b0", "efficientvit_m0", "ese_vovnet19b_dw", "fastvit_t8", "fbnetc_100", "focalnet_tiny_srf"),
    *("gcresnet50t", "gcvit_xxtiny", "gernet_s", "ghostnet_100", "ghostnetv2_100", "gmlp_s16_224", "halonet26t"),
    *("hardcorenas_a", "hgnet_tiny", "hgnetv2_b0", "hiera_tiny_224", "hrnet_w18_small", "inception_next_tiny"),
    *("inception_resnet_v2", "inception_v4", "lambda_resnet26t", "lcnet_050", "levit_128s", "mambaout_femto"),
    *("maxvit_tiny_tf_224", "maxxvit_rmlp_nano_rw_256", "mixer_s32_224", "mixnet_s", "mobilenetv3_small_050"),
    *("mobilenetv4_conv_small", "mobileone_s0", "mobilevit_xxs", "mobilevitv2_050", "mvitv2_tiny", "nasnetalarge"),
    *("nest_tiny", "nf_regnet_b1", "nf_resnet50", "nfnet_l0", "pit_ti_224", "pnasnet5large", "poolformer_s12"),
    *("poolformerv2_s12", "pvt_v2_b0", "regnetx_002", "regnety_002", "regnetz_b16", "repghostnet_050"),
    *("repvgg_a0", "repvit_m0_9", "res2net50_14w_8s", "resmlp_12_224", "resnest14d", "resnet10t", "resnetaa50"),
    *("resnetblur50", "resnetrs50", "resnetv2_50", "resnetv2_50x1_bit", "rexnet_100", "sebotnet33ts_256"),
    *("selecsls42b", "semnasnet_050", "seresnet50", "sequencer2d_s", "shvit_s1", "skresnet18", "starnet_s1"),
    *("swiftformer_xs", "swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256", "tf_efficientnet_b0"),
    *("tf_efficientnetv2_b0", "tf_mixnet_s", "tiny_vit_5m_224", "tinynet_e", "tnt_s_patch16_224", "tresnet_m"),
    *("twins_pcpvt_small", "vgg11", "visformer_tiny", "vit_tiny_patch16_224", "vit_small_patch32_224", "vovnet39a"),
    *("volo_d1_224", "xception41", "xception65", "xcit_nano_12_p16_224"),
)
NAMES = (*CLASSIFIERS, *OTHERS, *(f"timm/{name}" for name in TIMM))


def model_of(name: str, device: str) -> tuple[Any, Any]:
    """(a network without trained weights, in evaluation; its input)."""
    import torch

    if device == "meta" and name.startswith("regnet"):  # They draw their first numbers with a generator.
        model, image = model_of(name, "cpu")
        return model.to("meta"), image.to("meta")
    with torch.device(device):
        if name.startswith("timm/"):
            import timm

            model = timm.create_model(name.removeprefix("timm/"))
            shape = tuple(model.default_cfg["input_size"])
        else:
            import torchvision

            apart: dict[str, Any] = {"weights_backbone": None} if name in OTHERS[:10] else {}
            if name in ("googlenet", "inception_v3"):  # Heads that run in training alone are in no file.
                apart["aux_logits"] = False
            model = torchvision.models.get_model(name, weights=None, **apart)
            video = name in OTHERS[10:]
            size = {"inception_v3": 299, "swin_v2_t": 256}.get(name, 112 if name in OTHERS[10:13] else 224)
            shape = (3, 16, size, size) if video else (3, size, size)
            if "ssd" in name:
                shape = (3, 320, 320) if "lite" in name else (3, 300, 300)
        return model.eval(), torch.zeros(1, *shape, device=device)


def counts(name: str) -> dict[str, Any]:
    """PyTorch's own counts, and the names of parameters; a parameter that several modules have goes by the first."""
    model, _ = model_of(name, "meta")
    owners: dict[int, str] = {}
    aliases: dict[str, str] = {}
    for path, parameter in model.named_parameters(remove_duplicate=False):
        if owners.setdefault(id(parameter), path) != path:
            aliases[path] = owners[id(parameter)]
    sizes = {path: parameter.numel() for path, parameter in model.named_parameters()}
    return {"params": sum(sizes.values()), "macs": _macs(name), "sizes": sizes, "aliases": aliases}


def _macs(name: str) -> int:
    """Half the operations of a forward pass; of a detector, which needs numbers, those before it chooses regions."""
    from torch.utils.flop_counter import FlopCounterMode

    for device in ("meta", "cpu"):
        model, image = model_of(name, device)
        try:
            with FlopCounterMode(display=False) as counter:
                model(image)
            break
        except (RuntimeError, NotImplementedError, ValueError, TypeError):
            if device == "cpu":
                raise
    behind = sum(counter.get_flop_counts().get(f"{type(model).__name__}.roi_heads", {}).values())
    return (counter.get_total_flops() - behind) // 2


def export(name: str, folder: Path) -> None:
    """Export a network by both exporters, and write what PyTorch counts."""
    stem = folder / name.replace("/", "-")
    stem.with_suffix(".json").write_text(json.dumps(counts(name)))
    for exporter in EXPORTERS:
        error = exported(name, folder, exporter)
        if error:
            Path(f"{stem}.{exporter}.txt").write_text(error)


def exported(name: str, folder: Path, exporter: str) -> str:
    """Export a network by one exporter; what it raises, empty where it writes a file."""
    import torch

    from convcalc.onnx.skim import skimmed

    model, image = model_of(name, "cpu")
    _with_numbers(model)
    path = folder / f"{name.replace('/', '-')}.{exporter}.onnx"
    try:
        if exporter == "dynamo":
            torch.onnx.export(model, (image,), path, dynamo=True, external_data=False, verbose=False)
        else:
            kept = torch.onnx.TrainingMode.PRESERVE
            torch.onnx.export(
                model, (image,), path, dynamo=False, opset_version=17, training=kept, do_constant_folding=False
            )
        with path.open("rb") as file:
            short = skimmed(file, path.stat().st_size)
        path.write_bytes(short)
    except Exception as error:  # What an exporter raises is any error; it is recorded, not handled.
        path.unlink(missing_ok=True)
        return f"{type(error).__name__}: {error}"[:500]
    return ""


def _with_numbers(model: Any) -> None:
    """Give parameters and statistics numbers that differ, as training does; other buffers keep what they are."""
    import torch

    statistics = (buffer for name, buffer in model.named_buffers() if name.endswith(("running_mean", "running_var")))
    with torch.no_grad():
        for number, tensor in enumerate((*model.parameters(), *statistics)):
            if tensor.is_floating_point():
                first = tensor.view(-1)[:MOST_DRAWN]
                tensor.fill_(0.5 + number % 997 / 1000)
                first.uniform_(0.5, 1.5)


def compared(folder: Path, name: str) -> dict[str, Any]:
    """What is read of a network's files, beside PyTorch's counts."""
    from convcalc.analysis.report import analyse
    from convcalc.onnx import load_onnx

    stem = folder / name.replace("/", "-")
    wanted = json.loads(stem.with_suffix(".json").read_text())
    found: dict[str, Any] = {"params": wanted["params"], "macs": wanted["macs"]}
    for exporter in EXPORTERS:
        path = Path(f"{stem}.{exporter}.onnx")
        if not path.exists():
            continue
        try:
            network = load_onnx(str(path))
            totals = analyse(network).totals
            folded = _folded(path, wanted["sizes"], wanted["aliases"]) + _behind(network.notes)
            opaque = [node.layer.operator for node in network if node.kind == "opaque"]  # type: ignore[union-attr]
            found[exporter] = {
                "params": totals.params,
                "folded": folded,
                "macs": totals.macs,
                "constant_macs": _constant_macs(network),
                "opaque": {operator: opaque.count(operator) for operator in sorted(set(opaque))},
            }
        except Exception as error:  # Whatever it is, it is what is looked for.
            said = str(error) if "SpecError" in type(error).__name__ else traceback.format_exc()
            found[exporter] = {"error": said[-600:]}
    return found


def _constant_macs(network: Network) -> int:
    """Those of layers that read no input: products of parameters, which the new exporter computes."""
    flows: list[bool] = []
    found = 0
    for node in network.nodes:
        flows.append(node.layer is None or any(flows[source] for source in node.inputs))
        if node.layer is not None and not flows[-1]:
            reads = tuple([network.nodes[source].shape for source in node.inputs])
            found += node.layer.operations(reads, node.shape).get("mac", 0)
    return found


def _macs_of(found: dict[str, Any], exporter: str) -> int:
    """Those of a file, and those of products of parameters that the old exporter's file has and this one does not."""
    constant = found.get(EXPORTERS[0], {}).get("constant_macs", 0)
    macs: int = found[exporter]["macs"] + max(constant - found[exporter]["constant_macs"], 0)
    return macs


def _behind(notes: Iterable[Finding]) -> int:
    """The parameters behind the place where shapes are not known any more, as a note says."""
    said = (re.search(r"([\d,]+) parameters behind", note.message) for note in notes)
    return sum(int(found[1].replace(",", "")) for found in said if found)


def _folded(path: Path, sizes: dict[str, int], aliases: dict[str, str]) -> int:
    """How many parameters fewer the new exporter's file has, because it computed with some: folded norms, tables."""
    from convcalc.onnx.messages import FOLDED, parse_model

    graph = parse_model(path.read_bytes()).graph
    assert graph is not None
    if not any(info.metadata for info in graph.infos.values()):
        return 0
    made = 0
    for name, tensor in graph.tensors.items():
        note = graph.infos[name].metadata.get(FOLDED, "") if name in graph.infos else ""
        own = name in sizes or name in aliases
        if not own and (name.endswith(".weight_bias") or any(f"'{of}'" in note for of in (*sizes, *aliases))):
            made += prod(tensor.dims)
    held = {aliases.get(name, name) for name in graph.tensors}
    return sum(count for name, count in sizes.items() if name not in held) - made


def _differences(found: dict[str, Any]) -> list[str]:
    said = []
    for exporter in EXPORTERS:
        one = found.get(exporter)
        if one is None:
            said.append(f"{exporter}: not exported")
        elif "error" in one:
            said.append(f"{exporter}: {one['error']}")
        else:
            parts = [f"opaque {one['opaque']}"] if one["opaque"] else []
            if one["params"] + one["folded"] != found["params"]:
                parts.append(f"params {one['params'] + one['folded']:,} of {found['params']:,}")
            if _macs_of(found, exporter) != found["macs"]:
                parts.append(f"macs {_macs_of(found, exporter):,} of {found['macs']:,}")
            said += [f"{exporter}: {', '.join(parts)}"] if parts else []
    return said


def summary(records: dict[str, dict[str, Any]]) -> dict[str, dict[str, int]]:
    """By exporter, how many files there are, are read, are whole, and have PyTorch's counts."""
    result = {}
    for exporter in EXPORTERS:
        files = [found for found in records.values() if exporter in found]
        read = [found for found in files if "error" not in found[exporter]]
        result[exporter] = {
            "files": len(files),
            "read": len(read),
            "without opaque": sum(not found[exporter]["opaque"] for found in read),
            "params equal": sum(
                found[exporter]["params"] + found[exporter]["folded"] == found["params"] for found in read
            ),
            "macs equal": sum(_macs_of(found, exporter) == found["macs"] for found in read),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("export", "one", "compare", "record"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    folder: Path = given.folder
    if given.action == "one":
        export(given.names[0], folder)
        return
    if given.action == "export":
        folder.mkdir(exist_ok=True)
        for name in given.names or NAMES:
            if not (folder / name.replace("/", "-")).with_suffix(".json").exists():
                command = [sys.executable, "-m", "tools.onnx_models", "one", str(folder), name]
                try:
                    subprocess.run(command, timeout=SECONDS, stdout=subprocess.DEVNULL)
                except subprocess.TimeoutExpired:
                    print(f"{name}: more than {SECONDS} seconds")
        return
    names = given.names or [name for name in NAMES if (folder / name.replace("/", "-")).with_suffix(".json").exists()]
    records = {name: compared(folder, name) for name in names}
    for name, found in records.items():
        for line in _differences(found):
            print(f"{name} {line}")
    print(summary(records))
    if given.action == "record":
        RECORD.write_text(json.dumps({"summary": summary(records), "networks": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()
