// The layout in a worker that is made of this bundle's own text; on this thread where the page may have none.
import { layout } from "./layout.js";

/** The text of the script that is running, where it stands in the page. */
const script = typeof document === "undefined" ? null : document.currentScript;

/** Answer layouts, in a worker. */
export function serve() {
  globalThis.addEventListener("message", ({ data }) => {
    globalThis.postMessage({ number: data.number, result: layout(data.level, data.direction) });
  });
}

export class Layouts {
  constructor() {
    this.waiting = new Map();
    this.number = 0;
    this.worker = null;
    this.place = "page";
    this.prompt = false;
    const text = script === null ? "" : script.textContent;
    if (text === "") return;
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    try {
      this.worker = new Worker(address);
      this.place = "worker";
      this.worker.addEventListener("message", ({ data }) => this.answer(data));
      this.worker.addEventListener("error", () => this.fallBack());
    } catch {
      this.fallBack();
    }
    URL.revokeObjectURL(address);
  }

  /** The places of a level; null where another was asked for since. */
  ask(level, direction) {
    this.number += 1;
    const { number } = this;
    for (const [, { resolve }] of this.waiting) resolve(null);
    this.waiting.clear();
    return new Promise((resolve) => {
      this.waiting.set(number, { level, direction, resolve });
      if (this.worker === null || this.prompt) this.answer({ number, result: layout(level, direction) });
      else this.worker.postMessage({ number, level, direction });
    });
  }

  answer({ number, result }) {
    const asked = this.waiting.get(number);
    this.waiting.delete(number);
    asked?.resolve(result);
  }

  fallBack() {
    this.worker?.terminate();
    this.worker = null;
    this.place = "page";
    this.answerAll();
  }

  /** Answer before this thread goes on, as paper needs it; or again when it is done elsewhere. */
  setPrompt(prompt) {
    this.prompt = prompt;
    if (prompt) this.answerAll();
  }

  answerAll() {
    for (const [number, { level, direction }] of [...this.waiting]) {
      this.answer({ number, result: layout(level, direction) });
    }
  }

  destroy() {
    this.worker?.terminate();
    this.waiting.clear();
  }
}
