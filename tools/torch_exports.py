"""Export small networks with torch.export and keep their graphs, without weights, for the tests of the reader.

python -m tools.torch_exports    writes tests/oracle/exported/*.pt2

Needs PyTorch. Of each archive the members of JSON are kept, without the traces of the code that made the nodes.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "exported"


class Net(nn.Module):
    """A stem, a position table, attention twice with the same weights, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.position = nn.Parameter(torch.zeros(1, 64, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 10)

    def forward(self, image: Tensor) -> Tensor:
        """[batch, 3, 16, 16] gives [batch, 10]."""
        tokens = self.stem(image).flatten(2).transpose(1, 2) + self.position
        for _ in range(2):
            tokens = tokens + self.attention(tokens, tokens, tokens, need_weights=False)[0]
        pooled: Tensor = self.head(tokens.mean(1))
        return pooled


def kept(archive: bytes) -> bytes:
    """The members of JSON alone, without stack traces."""
    found = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if not name.endswith(".json"):
                continue
            data = json.loads(source.read(name))
            for node in data.get("graph_module", {}).get("graph", {}).get("nodes", ()):
                for key in ("stack_trace", "from_node"):
                    node["metadata"].pop(key, None)
            target.writestr(zipfile.ZipInfo(name), json.dumps(data, separators=(",", ":")), zipfile.ZIP_DEFLATED, 9)
    return found.getvalue()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    batch = torch.export.Dim("batch", min=1, max=64)
    for name, count, options in (
        ("fixed", 1, {}),
        ("batch_of_4", 4, {}),
        ("open", 2, {"dynamic_shapes": {"image": {0: batch}}}),
    ):
        program = torch.export.export(Net().eval(), (torch.zeros(count, 3, 16, 16),), **options)
        written = io.BytesIO()
        torch.export.save(program, written)
        (FOLDER / f"{name}.pt2").write_bytes(kept(written.getvalue()))


if __name__ == "__main__":
    main()
