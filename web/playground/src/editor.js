// The editor: YAML with the findings where they stand, and what the language allows at the cursor.
import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { named } from "./schema.js";

const SEVERITIES = { error: "error", warning: "warning", advice: "info" };

const theme = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--paper)", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace', fontSize: "14px" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--dim)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--chosen)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--mark)" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--paper)" },
  ".cm-completionDetail": { color: "var(--dim)", fontStyle: "normal" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionInfo": { maxWidth: "24rem" },
  ".cm-diagnostic": { whiteSpace: "pre-wrap", fontFamily: "system-ui, sans-serif" },
  ".cm-textfield": { backgroundColor: "var(--paper)", border: "1px solid var(--line)" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--paper)", border: "1px solid var(--line)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--panel)", border: "1px solid var(--line)", color: "var(--dim)" },
  ".cm-matchingBracket": { backgroundColor: "var(--mark) !important" },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--key)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--text)" },
  { tag: [tags.number, tags.bool, tags.keyword], color: "var(--number)" },
  { tag: tags.comment, color: "var(--dim)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

/** The offset of a line and a column as Python counts them: whole characters, from 1. */
function offset(doc, line, column) {
  const found = doc.line(Math.max(1, Math.min(line, doc.lines)));
  const before = Array.from(found.text).slice(0, column - 1).join("");
  return found.from + before.length;
}

export class Editor {
  /** `onChange` is told of a new text, `schema` is a promise of what completes. */
  constructor(host, onChange, schema) {
    const root = host.attachShadow({ mode: "open" });
    const parent = document.createElement("div");
    const style = new CSSStyleSheet();
    style.replaceSync(":host, :host > div { height: 100%; } :host > div { height: 100%; }");
    root.adoptedStyleSheets = [style];
    root.append(parent);
    const complete = async (context) => {
      const text = context.state.sliceDoc(0, context.pos);
      const known = await schema;
      const { found, word, path, key } = known.candidates(text);
      const items = [...found].map(([label, { detail, key: isKey }]) => ({
        label,
        type: isKey ? "property" : "enum",
        info: detail || undefined,
        apply: isKey && key ? `${label}: ` : label,
      }));
      const last = path?.[path.length - 1];
      if (last === null && path.includes("layers")) {
        const blocks = named(context.state.doc.toString(), "blocks");
        items.push(...blocks.map((label) => ({ label, type: "class", detail: "block", boost: 1 })));
      } else if (path?.length > 0 && !key) {
        const params = named(context.state.doc.toString(), "params");
        items.push(...params.map((label) => ({ label, type: "variable", detail: "param" })));
      }
      if (items.length === 0 || (word === "" && !context.explicit)) return null;
      return { from: context.pos - word.length, options: items, validFor: /^[\w.]*$/ };
    };
    const extensions = [
      lineNumbers(),
      foldGutter(),
      lintGutter(),
      history(),
      drawSelection(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSelectionMatches(),
      bracketMatching(),
      indentUnit.of("  "),
      EditorState.tabSize.of(2),
      EditorView.lineWrapping,
      yaml(),
      autocompletion({ override: [complete] }),
      syntaxHighlighting(colours),
      theme,
      keymap.of([...completionKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap, ...defaultKeymap, indentWithTab]),
      EditorView.contentAttributes.of({ "aria-label": "Spec in YAML" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(this.text);
      }),
    ];
    this.view = new EditorView({ state: EditorState.create({ doc: "", extensions }), parent, root });
  }

  get text() {
    return this.view.state.doc.toString();
  }

  set text(text) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: 0 } });
  }

  /** Mark findings where they stand. */
  mark(findings) {
    const { doc } = this.view.state;
    const diagnostics = findings.map((finding) => {
      const from = offset(doc, finding.line, finding.column);
      const to = Math.min(offset(doc, finding.line, finding.column + finding.width), doc.length);
      const said = finding.where ? `${finding.where}: ${finding.message}` : finding.message;
      const message = finding.hint ? `${said}\nhint: ${finding.hint}` : said;
      return { from, to: Math.max(from, to), severity: SEVERITIES[finding.severity], source: finding.code, message };
    });
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics));
  }

  /** Put the cursor where a finding stands. */
  go(finding) {
    const anchor = offset(this.view.state.doc, finding.line, finding.column);
    this.view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    this.view.focus();
  }
}
