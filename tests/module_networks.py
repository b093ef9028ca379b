"""Networks of modules, as readers of models draft them: layers in the calls of modules with their classes and names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from convcalc.layers.registry import build
from convcalc.models.draft import Draft
from convcalc.models.steps import Place
from convcalc.network import Network


class Modules:
    """A draft that follows the calls of modules: `with modules("layer1", "Bottleneck"):` is one."""

    def __init__(self, *shape: int) -> None:
        self.draft = Draft()
        self.scope: list[Place] = []
        self.calls = count(1)
        self.x = self.draft.input("input", shape)
        """What the last layer puts out."""

    @contextmanager
    def __call__(self, name: str, cls: str = "") -> Iterator[int]:
        """A call of a module; gives what goes in. A container that is not called has no class."""
        self.scope.append(Place(tuple(name.split(".")), cls, next(self.calls)))
        yield self.x
        self.scope.pop()

    def layer(self, kind: str, name: str = "", *sources: int, **fields: object) -> int:
        """A layer, a module of its own where it has a name, on the last one where no sources are given."""
        place = [Place((name,), kind, next(self.calls))] if name else []
        layer = build(kind, fields)
        self.x = self.draft.add(layer, sources or [self.x], scope=[*self.scope, *place])
        return self.x

    def conv_bn(self, out: int, k: int, conv: str, bn: str, *, s: int = 1, p: int | None = None, g: int = 1) -> int:
        """A convolution without bias, and its batch norm."""
        self.layer("conv2d", conv, out=out, k=k, s=s, p=k // 2 if p is None else p, g=g, bias=False)
        return self.layer("batch_norm", bn)

    def head(self, classes: int = 1000) -> None:
        """Pool, flatten, linear."""
        self.layer("adaptive_avg_pool2d", "avgpool", output_size=1)
        self.layer("flatten")
        self.layer("linear", "fc", out=classes)

    def network(self, name: str) -> Network:
        """What was drafted."""
        return self.draft.network(name, {"output": self.x})


def resnet50(depths: Sequence[int] = (3, 4, 6, 3)) -> Network:
    """As torchvision's modules are called."""
    m = Modules(3, 224, 224)
    m.conv_bn(64, 7, "conv1", "bn1", s=2)
    m.layer("relu", "relu")
    m.layer("max_pool2d", "maxpool", k=3, s=2, p=1)
    for stage, depth in enumerate(depths):
        width = 64 << stage
        with m(f"layer{stage + 1}", ""):
            for number in range(depth):
                stride = 2 if stage and not number else 1
                with m(str(number), "Bottleneck") as before:
                    m.conv_bn(width, 1, "conv1", "bn1")
                    m.layer("relu", "relu")
                    m.conv_bn(width, 3, "conv2", "bn2", s=stride)
                    m.layer("relu", "relu")
                    after = m.conv_bn(4 * width, 1, "conv3", "bn3")
                    if not number:
                        m.x = before
                        with m("downsample"):
                            before = m.conv_bn(4 * width, 1, "0", "1", s=stride)
                    m.layer("add", "", after, before)
                    m.layer("relu", "relu")
    m.head()
    return m.network("ResNet")


GOOGLENET = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet() -> Network:
    """As torchvision's modules are called."""
    m = Modules(3, 224, 224)

    def basic(name: str, out: int, k: int = 1, s: int = 1) -> int:
        with m(name, "BasicConv2d"):
            m.conv_bn(out, k, "conv", "bn", s=s)
            return m.layer("relu")

    basic("conv1", 64, 7, 2)
    m.layer("max_pool2d", "maxpool1", k=3, s=2, ceil_mode=True)
    basic("conv2", 64)
    basic("conv3", 192, 3)
    m.layer("max_pool2d", "maxpool2", k=3, s=2, ceil_mode=True)
    for name, (one, reduce3, three, reduce5, five, pool) in GOOGLENET.items():
        with m(f"inception{name}", "Inception") as before:
            branches = [basic("branch1", one)]
            for branch, reduced, out in (("branch2", reduce3, three), ("branch3", reduce5, five)):
                m.x = before
                with m(branch):
                    basic("0", reduced)
                    branches.append(basic("1", out, 3))
            m.x = before
            with m("branch4"):
                m.layer("max_pool2d", "0", k=3, s=1, p=1, ceil_mode=True)
                branches.append(basic("1", pool))
            m.layer("concat", "", *branches)
        if name in ("3b", "4e"):
            m.layer("max_pool2d", f"maxpool{int(name[0])}", k=3 if name == "3b" else 2, s=2, ceil_mode=True)
    m.head()
    return m.network("GoogLeNet")


def densenet121(depths: Sequence[int] = (6, 12, 24, 16)) -> Network:
    """As torchvision's modules are called."""
    m = Modules(3, 224, 224)
    with m("features"):
        m.conv_bn(64, 7, "conv0", "norm0", s=2)
        m.layer("relu", "relu0")
        m.layer("max_pool2d", "pool0", k=3, s=2, p=1)
        for block, depth in enumerate(depths, start=1):
            with m(f"denseblock{block}", "_DenseBlock") as before:
                features = [before]
                for number in range(1, depth + 1):
                    m.x = before
                    with m(f"denselayer{number}", "_DenseLayer"):
                        if len(features) > 1:
                            m.layer("concat", "", *features)
                        m.layer("batch_norm", "norm1")
                        m.layer("relu", "relu1")
                        m.conv_bn(128, 1, "conv1", "norm2")
                        m.layer("relu", "relu2")
                        features.append(m.layer("conv2d", "conv2", out=32, k=3, p=1, bias=False))
                m.layer("concat", "", *features)
            if block < len(depths):
                with m(f"transition{block}", "_Transition"):
                    m.layer("batch_norm", "norm")
                    m.layer("relu", "relu")
                    width = m.draft.shape(m.x)[0] // 2
                    m.layer("conv2d", "conv", out=width, k=1, bias=False)
                    m.layer("avg_pool2d", "pool", k=2)
        m.layer("batch_norm", "norm5")
    m.layer("relu")
    m.head()
    return m.network("DenseNet")


def mobilenet_v2() -> Network:
    """As torchvision's modules are called: the expansion is missing in the first block, and shifts the numbers."""
    m = Modules(3, 224, 224)

    def block(name: str, out: int, k: int, s: int = 1, g: int = 1) -> None:
        with m(name, "Conv2dNormActivation"):
            m.conv_bn(out, k, "0", "1", s=s, g=g)
            m.layer("relu6", "2")

    numbers = map(str, count(1))
    with m("features"):
        block("0", 32, 3, 2)
        rows = (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        )
        for t, out, times, stride in rows:
            for first in range(times):
                s = stride if not first else 1
                arriving = m.draft.shape(m.x)[0]
                with m(next(numbers), "InvertedResidual") as before:
                    inner = map(str, count())
                    with m("conv"):
                        if t > 1:
                            block(next(inner), t * arriving, 1)
                        block(next(inner), t * arriving, 3, s, t * arriving)
                        after = m.conv_bn(out, 1, next(inner), next(inner))
                    if s == 1 and arriving == out:
                        m.layer("add", "", before, after)
        block(next(numbers), 1280, 1)
    m.head()
    return m.network("MobileNetV2")


NETWORKS: dict[str, Callable[[], Network]] = {
    "resnet50": resnet50,
    "googlenet": googlenet,
    "densenet121": densenet121,
    "mobilenet_v2": mobilenet_v2,
}
"""Networks whose written blocks stand in tests/golden/blocks/."""
