// The worker as a function of messages. A worker that takes too long is replaced.

const LONGEST = 60_000;

export class Python {
  /** `onState` is told of what is loaded and which part of the way is done, and at last "ready". */
  constructor(onState) {
    this.onState = onState;
    this.waiting = new Map();
    this.number = 0;
    this.start();
  }

  start() {
    this.worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
    this.worker.addEventListener("message", ({ data }) => this.told(data));
    this.worker.addEventListener("error", (event) => this.fail(event.message || "the worker did not start"));
    this.onState("Loading Python", 0);
  }

  told(data) {
    if (data.progress !== undefined) return this.onState(data.progress, data.part);
    if (data.failed !== undefined) return this.fail(data.failed);
    if (data.ready) {
      this.ready = true;
      return this.onState("ready");
    }
    const asked = this.waiting.get(data.number);
    this.waiting.delete(data.number);
    clearTimeout(asked?.timer);
    asked?.resolve({ ...JSON.parse(data.answer), took: data.took });
  }

  fail(text) {
    this.onState(`failed: ${text}`);
    this.give(text);
  }

  /** Answer all who wait with an error. */
  give(text) {
    for (const { resolve, timer } of this.waiting.values()) {
      clearTimeout(timer);
      resolve({ error: { message: text, hint: null } });
    }
    this.waiting.clear();
  }

  /** The answer to a message, with the milliseconds that it took. It never fails: what is wrong is in the answer. */
  ask(message) {
    const number = ++this.number;
    return new Promise((resolve) => {
      const timer = this.ready ? setTimeout(() => this.restart(), LONGEST) : undefined;
      this.waiting.set(number, { resolve, timer });
      this.worker.postMessage({ number, message: JSON.stringify(message) });
    });
  }

  restart() {
    this.worker.terminate();
    this.ready = false;
    this.give(`convcalc was ended: it took more than ${LONGEST / 1000} s`);
    this.start();
  }
}
