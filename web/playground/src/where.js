// Where in a spec a place is: the keys and items that lead there, whether a key or a value is written, and what of it.
// The text before the place is read alone, so that what is not finished yet is no obstacle.

const KEY = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s{}[\],#&*!|>%@`"'-][^{}[\],#:]*?|-[^\s{}[\],#:][^{}[\],#:]*?)\s*:(?=\s|$)/;
const bare = (text) => text.trim().replace(/^(["'])(.*)\1$/s, "$2");

/** Brackets and braces that are open at the end of a text, each with the key that is being filled. */
function flow(open, text) {
  let token = "";
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quote !== "") {
      token += letter;
      if (letter === "\\" && quote === '"') token += text[(at += 1)] ?? "";
      else if (letter === quote) quote = "";
    } else if ((letter === '"' || letter === "'") && token.trim() === "") {
      token += letter;
      quote = letter;
    } else if (letter === "#" && /\s$|^$/.test(text.slice(0, at))) {
      break;
    } else if ((letter === "{" || letter === "[") && (open.length > 0 || token.trim() === "")) {
      open.push({ braces: letter === "{", key: null });
      token = "";
    } else if (open.length > 0 && (letter === "}" || letter === "]")) {
      open.pop();
      token = "";
    } else if (open.length > 0 && letter === ",") {
      open[open.length - 1].key = null;
      token = "";
    } else if (open.length > 0 && letter === ":" && open[open.length - 1].braces && /^(?:\s|$)/.test(text.slice(at + 1))) {
      open[open.length - 1].key = bare(token);
      token = "";
    } else {
      token += letter;
    }
  }
  return token;
}

/**
 * `{path, key, word}` at the end of a text: `path` has a key's name for each mapping and null for each item of a list
 * that leads there; `key` says whether a key of the last mapping is written (else a value), `word` how it begins.
 */
export function where(text) {
  const frames = [];
  const open = [];
  let block = null;
  let token = "";
  let fresh = true;
  const lines = text.split("\n");
  for (const [number, line] of lines.entries()) {
    const last = number === lines.length - 1;
    if (open.length > 0) {
      token = flow(open, line);
      continue;
    }
    let indent = line.length - line.trimStart().length;
    let rest = line.slice(indent);
    if (block !== null) {
      if (rest === "" || indent > block) {
        if (last) return { path: [], key: false, word: "", text: true };
        continue;
      }
      block = null;
    }
    if ((rest === "" && !last) || rest.startsWith("#")) {
      if (last && rest !== "") return { path: [], key: false, word: "", text: true };
      continue;
    }
    const item = /^-(?:\s|$)/.test(rest);
    while (frames.length > 0) {
      const top = frames[frames.length - 1];
      const keeps = top.indent < indent || (item && top.indent === indent && top.key !== null);
      if (keeps) break;
      frames.pop();
    }
    fresh = true;
    while (/^-(?:\s|$)/.test(rest)) {
      frames.push({ indent, key: null });
      const after = rest.slice(1);
      const step = 1 + after.length - after.trimStart().length;
      rest = after.trimStart();
      indent += step;
    }
    const found = KEY.exec(rest);
    if (found) {
      frames.push({ indent, key: bare(found[1]) });
      rest = rest.slice(found[0].length);
      fresh = false;
    }
    if (/^\s*[|>][+\d-]*\s*$/.test(rest) && (found || item)) {
      block = frames.length > 0 ? frames[frames.length - 1].indent : 0;
      token = "";
      continue;
    }
    token = flow(open, rest);
  }
  const path = frames.map((frame) => frame.key);
  for (const each of open) {
    if (!each.braces) path.push(null);
    else if (each.key !== null) path.push(each.key);
  }
  const innermost = open[open.length - 1];
  const key = innermost ? innermost.braces && innermost.key === null : fresh;
  return { path, key, word: token.trimStart(), text: false };
}
