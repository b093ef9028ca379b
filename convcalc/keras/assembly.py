from pathlib import Path
from ..network import Network, Node, Output, UniqueNames
from .convert import Conversion

def assemble(conversion, path):
    steps = conversion.builder.steps
    needed = {t.step for t in conversion.outputs}
    for i in reversed(range(len(steps))):
        if i in needed: needed.update(steps[i].inputs)
    order = sorted(needed, key=lambda i: (steps[i].layer is not None, i))
    place = {i: p for p, i in enumerate(order)}
    names = UniqueNames()
    nodes = []
    for i in order:
        s = steps[i]
        nodes.append(Node(names.give(".".join((*s.scope, s.name))), s.layer, tuple(place[j] for j in s.inputs), s.shape))
    return Network(Path(path).stem, tuple(nodes), tuple(Output(nodes[place[t.step]].name, place[t.step]) for t in conversion.outputs), {})
