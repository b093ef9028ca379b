/* The interactive diagram in its section, laid out when it is first looked at. */

export function mountDiagram(graph, onSelect) {
  const box = document.getElementById("diagram-box");
  let mounted = null;
  let wanted = null;
  return {
    open() {
      if (!box || !graph || mounted) return;
      mounted = window.convcalc?.diagram?.mount?.(box, graph, { onSelect }) ?? null;
      if (wanted !== null) mounted?.select(wanted);
    },
    select(path) {
      wanted = path;
      mounted?.select(path);
    },
  };
}
