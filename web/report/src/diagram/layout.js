// Where everything stands. A level (the diagram, or the inside of an open group) is cut at the boxes that every path
// passes; each piece between two of them is laid out alone, and an open group is one box of the level around it.
//
// Coordinates run along the flow (`m`, main) and across it (`c`); what is handed back is turned to x and y.
import dagre from "@dagrejs/dagre";

/** Between boxes along the flow and across it, around the inside of a group, and above it for its heading. */
export const GAPS = { down: 40, right: 96 };
const ACROSS = 26;
const PADDING = 16;
/** Below the last box of a group, for the shape that leaves it. */
const LABEL = 24;
/** Above the first boxes of a group into which a line leads that divides. */
const FAN = 12;
export const HEADING = 30;
/** Boxes between two that every path passes from which on they are laid out in slices, and the sizes of a slice. */
const LARGE = 150;
const SLICE = [50, 90];
/** Pieces that are kept for the next layout. */
const MOST_KEPT = 5000;

const kept = new Map();

/**
 * The places of all items of a level and of those in it.
 *
 * A level is `{items, edges, ins, outs, heading, least}`: an item is `{key, width, height, label}` or `{key, level}`,
 * where `label` is the width of the text beside the lines that leave it; an edge is `{from, to, ref}` between ends
 * `{item, port}`, `{in: port}` or `{out: port}`; `ins` and `outs` are how many lines enter and leave the level.
 */
export function layout(level, direction) {
  const boxes = [];
  const lines = [];
  const placed = place(level, direction);
  flatten(placed, 0, 0, direction, boxes, lines);
  return { boxes, lines, ...turned(placed.length, placed.breadth, direction) };
}

const turned = (m, c, direction) => (direction === "down" ? { width: c, height: m } : { width: m, height: c });

/** One level in coordinates of its own. */
function place(whole, direction) {
  const down = direction === "down";
  const level = divided(whole);
  const nodes = [];
  for (let port = 0; port < level.ins; port += 1) nodes.push({ length: 1, breadth: 1, port: true });
  for (const item of level.items) {
    if (item.level === undefined) {
      const [length, breadth] = down ? [item.height, item.width] : [item.width, item.height];
      nodes.push({ key: item.key, length, breadth, label: item.label });
    } else {
      const inner = place(item.level, direction);
      nodes.push({ key: item.key, length: inner.length, breadth: inner.breadth, inner });
    }
  }
  for (let port = 0; port < level.outs; port += 1) nodes.push({ length: 1, breadth: 1, port: true });

  const number = (end) =>
    "in" in end ? end.in : "out" in end ? level.ins + level.items.length + end.out : level.ins + end.item;
  const edges = level.edges.map((edge) => ({ ...edge, a: number(edge.from), b: number(edge.to) }));
  const pieces = placedPieces(nodes, edges, GAPS[direction]);

  const entered = edges.filter((edge) => edge.a < level.ins);
  const fans = entered.length > new Set(entered.map((edge) => edge.a)).size;
  const heading = down ? level.heading : 0;
  const before = heading + (fans ? FAN : 0);
  const above = down ? 0 : level.heading;
  const around = level.heading > 0 || level.bare ? PADDING : 0;
  let [first, last, left, right] = [Infinity, -Infinity, Infinity, -Infinity];
  nodes.forEach((node, index) => {
    const { m, c } = pieces.at[index];
    const label = node.label > 0 && level.heading > 0 ? node.label : 0;
    if (!node.port) {
      first = Math.min(first, m - node.length / 2);
      last = Math.max(last, m + node.length / 2 + (label === 0 ? 0 : down ? LABEL - PADDING : label - PADDING / 2));
    }
    left = Math.min(left, c - node.breadth / 2);
    right = Math.max(right, c + node.breadth / 2, down ? c + label : c);
  });
  for (const bends of pieces.bends) {
    for (const [, c] of bends) {
      left = Math.min(left, c);
      right = Math.max(right, c);
    }
  }
  const spare = Math.max(0, (down ? level.least : 0) - (right - left + 2 * around)) / 2;
  const length = Math.max(last - first + before + 2 * around, down ? 0 : level.least);
  const breadth = right - left + above + 2 * around + 2 * spare;
  const shiftM = before + around - first;
  const shiftC = above + around + spare - left;
  const at = pieces.at.map(({ m, c }) => ({ m: m + shiftM, c: c + shiftC }));
  // Lines enter and leave at the border, whatever rank their dummy has.
  for (let port = 0; port < level.ins; port += 1) at[port].m = 0;
  for (let port = nodes.length - level.outs; port < nodes.length; port += 1) at[port].m = length;
  const anchor = (end, index, side) => {
    const node = nodes[index];
    const { m, c } = at[index];
    if (node.port) return [m, c];
    const border = side === "start" ? m + node.length / 2 : m - node.length / 2;
    if (node.inner === undefined || end.port === undefined) return [border, c];
    const inner = side === "start" ? node.inner.outs[end.port] : node.inner.ins[end.port];
    return [border, c - node.breadth / 2 + inner];
  };
  const lines = edges.map((edge, index) => ({
    ref: edge.ref,
    points: [
      anchor(edge.from, edge.a, "start"),
      // Past the heading straight, so that what divides does so below it.
      ...(heading > 0 && nodes[edge.a].port ? [[heading, at[edge.a].c]] : []),
      ...pieces.bends[index].map(([m, c]) => [m + shiftM, c + shiftC]),
      anchor(edge.to, edge.b, "end"),
    ],
  }));
  return {
    length,
    breadth,
    nodes: nodes.map((node, index) => ({ ...node, ...at[index] })),
    lines,
    ins: at.slice(0, level.ins).map(({ c }) => c),
    outs: at.slice(nodes.length - level.outs).map(({ c }) => c),
  };
}

/**
 * A level whose items, where there are too many between two that every path passes, stand in slices of the order: levels
 * without a frame, which lines enter and leave like groups, and pass.
 */
function divided(level) {
  const count = level.items.length;
  const at = (end) => ("in" in end ? -1 : "out" in end ? count : end.item);
  const ends = level.edges.map(({ from, to }) => [at(from), at(to)].sort((a, b) => a - b));
  const bounds = cuts(count, ends.filter(([a, b]) => a >= 0 && b < count).map(([a, b]) => ({ a, b })));
  const widest = Math.max(0, ...bounds.slice(1).map((bound, index) => bound - bounds[index]));
  if (level.bare || widest <= LARGE) return level;
  const starts = slices(count, ends);
  const slice = new Array(count);
  const made = starts.map((start, index) => {
    const items = level.items.slice(start, starts[index + 1] ?? count);
    for (let item = start; item < start + items.length; item += 1) slice[item] = index;
    return { items, edges: [], ins: 0, outs: 0, heading: 0, least: 0, bare: true, ports: { ins: new Map(), outs: new Map() } };
  });
  const edges = [];
  const port = (index, side, name) => {
    const { ports } = made[index];
    if (!ports[side].has(name)) ports[side].set(name, ports[side].size);
    made[index][side] = ports[side].size;
    return ports[side].get(name);
  };
  const known = new Set();
  const add = (into, name, edge) => {
    if (known.has(name)) return;
    known.add(name);
    into.push(edge);
  };
  const inside = (end) => ({ ...end, item: end.item - starts[slice[end.item]] });
  level.edges.forEach(({ from, to, ref }, number) => {
    const back = at(from) > at(to);
    const [first, last] = back ? [to, from] : [from, to];
    const one = "in" in first ? -1 : slice[first.item];
    const other = "out" in last ? made.length : slice[last.item];
    const turn = (edge) => (back ? { from: edge.to, to: edge.from, ref: edge.ref } : edge);
    if (one === other) {
      made[one].edges.push({ from: inside(from), to: inside(to), ref });
      return;
    }
    // Lines of one source go on together; what is turned or leaves the level is a line of its own.
    const name = JSON.stringify(back || "out" in last ? [first, number] : [first]);
    const passing = { ...ref, end: false };
    if (one >= 0) {
      const out = port(one, "outs", name);
      add(made[one].edges, `${name} leaves`, turn({ from: inside(first), to: { out }, ref: back ? ref : passing }));
    }
    for (let index = one + 1; index <= other; index += 1) {
      const source = index === one + 1 && one < 0 ? first : { item: index - 1, port: port(index - 1, "outs", name) };
      const final = index === made.length;
      const target = final ? last : { item: index, port: port(index, "ins", name) };
      add(edges, `${name} to ${index}${final ? ` ${number}` : ""}`, turn({ from: source, to: target, ref: passing }));
      if (final) break;
      const entry = { in: port(index, "ins", name) };
      if (index === other) made[index].edges.push(turn({ from: entry, to: inside(last), ref: back ? passing : ref }));
      else {
        const out = port(index, "outs", name);
        add(made[index].edges, `${name} through ${index}`, turn({ from: entry, to: { out }, ref: passing }));
      }
    }
  });
  return { ...level, items: made.map((each) => ({ level: each })), edges };
}

/** Where slices begin: each where the fewest lines lead over its beginning. */
function slices(count, ends) {
  const over = new Array(count + 1).fill(0);
  for (const [a, b] of ends) {
    over[Math.max(a, -1) + 1] += 1;
    if (b < count) over[b + 1] -= 1;
  }
  for (let index = 1; index <= count; index += 1) over[index] += over[index - 1];
  const starts = [0];
  for (;;) {
    const last = starts[starts.length - 1];
    if (count - last <= SLICE[1]) return starts;
    let best = last + SLICE[0];
    for (let index = best; index <= Math.min(last + SLICE[1], count - 1); index += 1) {
      if (over[index] < over[best]) best = index;
    }
    starts.push(best);
  }
}

/** The centres of the nodes and the bends of the edges, piece after piece. */
function placedPieces(nodes, edges, gap) {
  const at = nodes.map(() => ({ m: 0, c: 0 }));
  const bends = edges.map(() => []);
  if (nodes.length === 0) return { at, bends };
  const bounds = cuts(nodes.length, edges);
  const own = edgesOfPieces(bounds, edges);
  at[0] = { m: nodes[0].length / 2, c: 0 };
  for (let piece = 0; piece + 1 < bounds.length; piece += 1) {
    const [start, stop] = [bounds[piece], bounds[piece + 1]];
    if (stop === start + 1) {
      const [edge] = own[piece];
      const from = edge === undefined ? 0 : offset(nodes[start], edges[edge].from, "outs");
      const to = edge === undefined ? 0 : offset(nodes[stop], edges[edge].to, "ins");
      const between = nodes[start].port || nodes[stop].port ? gap / 4 : gap;
      at[stop] = {
        m: at[start].m + nodes[start].length / 2 + between + nodes[stop].length / 2,
        c: at[start].c + from - to,
      };
      continue;
    }
    const found = laidOut(nodes.slice(start, stop + 1), own[piece].map((i) => [edges[i].a - start, edges[i].b - start]), gap);
    // The first box of the piece stands already; what else is in it begins no higher.
    const shiftM = at[start].m - found.at[0][0];
    const shiftC = at[start].c - found.at[0][1];
    for (let index = start + 1; index <= stop; index += 1) {
      const [m, c] = found.at[index - start];
      at[index] = { m: m + shiftM, c: c + shiftC };
    }
    own[piece].forEach((edge, index) => {
      const { a, b, from, to } = edges[edge];
      // Straight along the boxes beside its ends, where these are longer; it turns between two ranks.
      const beside = (node, end, side, sign) =>
        found.halves[node - start] > nodes[node].length / 2 + 1
          ? [[at[node].m + sign * found.halves[node - start], at[node].c + offset(nodes[node], end, side)]]
          : [];
      const onward = a < b ? 1 : -1;
      bends[edge] = [
        ...beside(a, from, "outs", onward),
        ...found.bends[index].map(([m, c]) => [m + shiftM, c + shiftC]),
        ...beside(b, to, "ins", -onward),
      ];
    });
  }
  return { at, bends };
}

/** How far from its centre a line leaves or enters a node. */
function offset(node, end, side) {
  if (node.inner === undefined || end.port === undefined) return 0;
  return node.inner[side][end.port] - node.breadth / 2;
}

/** The numbers of the nodes over which no edge leads, the first and the last among them. */
function cuts(count, edges) {
  const reach = new Array(count).fill(0);
  for (const { a, b } of edges) {
    const [low, high] = a < b ? [a, b] : [b, a];
    reach[low] = Math.max(reach[low], high);
  }
  const found = [];
  let farthest = 0;
  for (let index = 0; index < count; index += 1) {
    if (farthest <= index || index === count - 1) found.push(index);
    farthest = Math.max(farthest, reach[index]);
  }
  if (found[0] !== 0) found.unshift(0);
  return found;
}

/** For each piece the numbers of its edges. */
function edgesOfPieces(bounds, edges) {
  const piece = new Map();
  for (let index = 0; index + 1 < bounds.length; index += 1) {
    for (let node = bounds[index]; node < bounds[index + 1]; node += 1) piece.set(node, index);
  }
  const own = bounds.slice(1).map(() => []);
  edges.forEach(({ a, b }, index) => {
    const found = piece.get(Math.min(a, b));
    if (found !== undefined && a !== b) own[found].push(index);
  });
  return own;
}

/** One piece by dagre: [m, c] of its nodes, and of the bends of its edges. */
function laidOut(nodes, pairs, gap) {
  const shape = nodes.map(({ length, breadth, port }) => [Math.round(length), Math.round(breadth), port ? 1 : 0]);
  const signature = JSON.stringify([shape, pairs, gap]);
  const known = kept.get(signature);
  if (known !== undefined) return known;
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({
    rankdir: "TB",
    ranksep: gap,
    nodesep: ACROSS,
    edgesep: 14,
    ranker: (ranked) => rank(ranked, nodes),
  });
  graph.setDefaultEdgeLabel(() => ({}));
  nodes.forEach(({ length, breadth }, index) => graph.setNode(String(index), { width: breadth, height: length }));
  pairs.forEach(([a, b], index) => {
    // Against the order of execution only where two networks are drawn as one: turned, so that there is no circle.
    graph.setEdge(String(Math.min(a, b)), String(Math.max(a, b)), {}, String(index));
  });
  dagre.layout(graph);
  const at = nodes.map((_, index) => {
    const { x, y } = graph.node(String(index));
    return [y, x];
  });
  const ranks = new Map();
  at.forEach(([m], index) => ranks.set(Math.round(m), Math.max(ranks.get(Math.round(m)) ?? 0, nodes[index].length / 2)));
  const found = {
    at,
    halves: at.map(([m]) => ranks.get(Math.round(m))),
    bends: pairs.map(([a, b], index) => {
      const [from, to] = a < b ? [a, b] : [b, a];
      const { points } = graph.edge(String(from), String(to), String(index));
      const bends = past(points.slice(1, -1), ranks);
      return a < b ? bends : bends.reverse();
    }),
  };
  if (mirrored(found.at)) {
    for (const points of [found.at, ...found.bends]) for (const point of points) point[1] = -point[1];
  }
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(signature, found);
  return found;
}

/** The bends of a line: straight past each rank of boxes that it passes, and none between two ranks. */
function past(points, ranks) {
  return points.flatMap(({ x, y }) => {
    const half = ranks.get(Math.round(y));
    return half === undefined ? [] : [[y - half, x], [y + half, x]];
  });
}

/** Whether boxes beside each other stand against their order more often than in it. */
function mirrored(at) {
  const ranks = new Map();
  for (const [m, c] of at) {
    if (!ranks.has(m)) ranks.set(m, []);
    ranks.get(m).push(c);
  }
  let against = 0;
  for (const rank of ranks.values()) {
    for (let index = 1; index < rank.length; index += 1) against += Math.sign(rank[index - 1] - rank[index]);
  }
  return against > 0;
}

/**
 * The ranks of a piece: lines that enter it at the top, the first box above all others, each as high as what it reads
 * lets it, or as low as what reads it where more lines lead on; the last box and the lines that leave below all.
 */
function rank(graph, nodes) {
  const last = nodes.length - 1;
  const ranks = nodes.map((node, index) => (index === 0 || enters(nodes, index) ? 0 : 2));
  const lines = (index, side) => (graph[side](String(index)) ?? []).filter(({ v, w }) => nodes[v] && nodes[w]);
  const length = (line) => graph.edge(line).minlen;
  for (let index = 1; index <= last; index += 1) {
    for (const line of lines(index, "inEdges")) ranks[index] = Math.max(ranks[index], ranks[line.v] + length(line));
  }
  for (let index = last - 1; index > 0; index -= 1) {
    const [read, reads] = [lines(index, "outEdges"), lines(index, "inEdges")];
    if (read.length > reads.length && ranks[index] > 0) {
      ranks[index] = Math.min(...read.map((line) => ranks[line.w] - length(line)));
    }
  }
  const ends = (index) => index === last || leaves(nodes, index);
  const bottom = Math.max(...ranks.map((found, index) => (ends(index) ? found : found + 2)));
  for (let index = last; index > 0 && ends(index); index -= 1) ranks[index] = bottom;
  for (const name of graph.nodes()) graph.node(name).rank = ranks[name] ?? 0;
}

const enters = (nodes, index) => nodes.slice(0, index + 1).every((node) => node.port);
const leaves = (nodes, index) => nodes.slice(index).every((node) => node.port);

/** Everything in a level as boxes and lines of the whole. */
function flatten(placed, m, c, direction, boxes, lines) {
  const down = direction === "down";
  for (const node of placed.nodes) {
    if (node.port) continue;
    const [startM, startC] = [m + node.m - node.length / 2, c + node.c - node.breadth / 2];
    const [x, y] = down ? [startC, startM] : [startM, startC];
    if (node.key !== undefined) boxes.push({ key: node.key, x, y, ...turned(node.length, node.breadth, direction) });
    if (node.inner !== undefined) flatten(node.inner, startM, startC, direction, boxes, lines);
  }
  for (const line of placed.lines) {
    lines.push({
      ref: line.ref,
      points: line.points.map(([pm, pc]) => (down ? [c + pc, m + pm] : [m + pm, c + pc])),
    });
  }
}
