// What of a graph is seen when some of its groups are open: nested levels of items, and the lines between them.

/** The graph with what every look at it needs: parents, children in order, readers. */
export function indexed(graph) {
  const groups = graph.groups.map((group) => ({ ...group, key: `g${group.id}`, items: [], nodes: [], isGroup: true }));
  const nodes = graph.nodes.map((node) => ({ ...node, key: `n${node.id}`, readers: [], isGroup: false }));
  const top = [];
  const stands = new Set();
  const enter = (item, parent) => {
    const siblings = parent === null ? top : groups[parent].items;
    if (stands.has(item)) return;
    stands.add(item);
    siblings.push(item);
    if (parent !== null) enter(groups[parent], groups[parent].parent);
  };
  for (const node of nodes) {
    enter(node, node.group);
    for (const source of node.from) nodes[source].readers.push(node.id);
    for (let group = node.group; group !== null; group = groups[group].parent) groups[group].nodes.push(node.id);
  }
  for (const item of [...groups, ...nodes]) {
    item.chain = [];
    for (let group = item.isGroup ? item.parent : item.group; group !== null; group = groups[group].parent) {
      item.chain.unshift(groups[group]);
    }
    item.total = item.chain.reduce((times, group) => times * group.times, item.times ?? 1);
    // Within several repetitions paths are those of the first: here they have the run of their numbers.
    const around = item.chain[item.chain.length - 1];
    const names = item.path.split(".");
    item.names = around === undefined ? names : [...around.names, ...names.slice(around.names.length)];
  }
  return { ...graph, groups, nodes, top, byKey: new Map([...groups, ...nodes].map((item) => [item.key, item])) };
}

/** What stands for a node: the outermost closed group around it, or itself. */
export function shown(node, open) {
  return node.chain.find((group) => !open.has(group.id)) ?? node;
}

/** The level of all that is seen, as `layout` takes it; `size` says how large a closed box is, `least` an open one. */
export function levels(index, open, size, least, heading) {
  const made = new Map();
  const make = (group) => {
    const key = group === null ? "" : group.key;
    const items = group === null ? index.top : group.items;
    const level = {
      items: [],
      edges: [],
      ins: 0,
      outs: 0,
      heading: group === null ? 0 : heading,
      least: group === null ? 0 : least(group),
    };
    const known = { level, place: new Map(), ins: new Map(), outs: new Map(), edges: new Set() };
    made.set(key, known);
    for (const item of items) {
      known.place.set(item.key, level.items.length);
      if (item.isGroup && open.has(item.id)) level.items.push({ key: item.key, level: make(item) });
      else level.items.push({ key: item.key, ...size(item) });
    }
    return level;
  };
  const root = make(null);

  const port = (known, side, key) => {
    const ports = known[side];
    if (!ports.has(key)) {
      ports.set(key, ports.size);
      known.level[side] = ports.size;
    }
    return ports.get(key);
  };
  const join = (known, from, to, ref) => {
    const name = JSON.stringify([from, to]);
    if (known.edges.has(name)) return;
    known.edges.add(name);
    known.level.edges.push({ from, to, ref });
  };
  for (const node of index.nodes) {
    for (const number of node.from) {
      const source = index.nodes[number];
      const [a, b] = [shown(source, open), shown(node, open)];
      if (a === b) continue;
      const [outer, inner] = [a.chain, b.chain];
      let common = 0;
      while (common < outer.length && common < inner.length && outer[common] === inner[common]) common += 1;
      // Out of the groups of the source, across the level that both stand in, into the groups of the reader.
      const ref = (end) => ({ from: a.key, to: b.key, end, change: change(source, node) });
      let from = { item: 0 };
      let item = a;
      for (let depth = outer.length - 1; depth >= common; depth -= 1) {
        const known = made.get(outer[depth].key);
        from = { ...from, item: known.place.get(item.key) };
        const out = port(known, "outs", a.key);
        join(known, from, { out }, ref(false));
        from = { item: 0, port: out };
        item = outer[depth];
      }
      const level = made.get(common === 0 ? "" : outer[common - 1].key);
      from = { ...from, item: level.place.get(item.key) };
      for (let depth = common; depth <= inner.length; depth += 1) {
        const known = depth === common ? level : made.get(inner[depth - 1].key);
        const target = depth === inner.length ? b : inner[depth];
        const to = { item: known.place.get(target.key) };
        if (target !== b) to.port = port(made.get(target.key), "ins", a.key);
        join(known, from, to, ref(target === b));
        from = { in: to.port };
      }
    }
  }
  return root;
}

/** What happened to a line: it came or went with one of its ends. */
function change(source, target) {
  const changes = [source.change, target.change];
  return changes.includes("removed") ? "removed" : changes.includes("added") ? "added" : "same";
}

/** The item at a path that `table` prints, or at the nearest one around it; null where there is none. */
export function found(index, path) {
  const direct = [...index.nodes, ...index.groups].find((item) => item.path === path && item.kind !== "output");
  if (direct !== undefined) return direct;
  const wanted = path.split(".");
  let best = null;
  let length = 0;
  for (const item of [...index.groups, ...index.nodes]) {
    const { names } = item;
    const matches = names.length <= wanted.length && names.every((name, i) => stands(name, wanted[i]));
    if (matches && names.length > length && item.kind !== "output") [best, length] = [item, names.length];
  }
  return best;
}

/** Whether a name of a path is another one, or a run of numbers that it is in. */
function stands(name, other) {
  if (name === other) return true;
  const [first, last] = name.split("–").map(Number);
  return Number.isInteger(last) && Number(other) >= first && Number(other) <= last;
}
