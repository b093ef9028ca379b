import dagre from "@dagrejs/dagre";

globalThis.convcalc = { ...globalThis.convcalc, diagram: { layout: dagre.layout } };
