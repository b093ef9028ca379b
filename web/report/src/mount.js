/* The interactive diagram in its section, laid out when it is first looked at. */

/* Boxes and groups as the diagram reads them: their rows, with what follows from them. */
export function unpacked(graph, pages) {
  const all = ({ keys, rows }) =>
    rows.map((row, id) => {
      const box = { id, ...Object.fromEntries(keys.map((key, i) => [key, row[i]])) };
      if (typeof box.path === "number") box.path = pages[box.path][0];
      box.figures = Object.fromEntries(graph.costs.map((cost, i) => [cost, box.figures[i]]));
      box.shape_text ??= box.shape.join("×") || "[]";
      return box;
    });
  return { ...graph, nodes: all(graph.nodes), groups: all(graph.groups) };
}

export function mountDiagram(data, onSelect) {
  const box = document.getElementById("diagram-box");
  let mounted = null;
  let wanted = null;
  let forPaper = false;
  const mount = () => {
    mounted = globalThis.convcalc.diagram.mount(box, unpacked(data.graph, data.pages), { onSelect });
  };
  // What was never looked at is on paper too; it is laid out anew when it is looked at, in the room that it has then.
  addEventListener("beforeprint", () => {
    forPaper = mounted === null;
    if (forPaper) mount();
    mounted.setPaper(true);
  });
  addEventListener("afterprint", () => {
    mounted?.setPaper(false);
    if (forPaper) {
      mounted?.destroy();
      mounted = null;
    }
    forPaper = false;
  });
  return {
    open() {
      if (mounted) return;
      mount();
      if (wanted !== null) mounted.select(wanted);
    },
    select(path) {
      wanted = path;
      mounted?.select(path);
    },
  };
}
