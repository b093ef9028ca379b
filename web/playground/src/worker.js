// convcalc in a worker: Pyodide, the packages that convcalc needs, convcalc; then a text for a text.
import { loadPyodide } from "./pyodide/pyodide.mjs";

/** What is done now, and the part of the way at which it begins: of the time that a processor takes. */
const tell = (progress, part) => postMessage({ progress, part });

async function start() {
  tell("Loading Python", 0);
  const packages = fetch("packages.zip").then((answer) => {
    if (!answer.ok) throw new Error(`packages.zip: ${answer.status}`);
    return answer.arrayBuffer();
  });
  const python = await loadPyodide({ indexURL: new URL("./pyodide/", import.meta.url).href });
  tell("Loading convcalc", 0.55);
  const folder = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
  python.unpackArchive(new Uint8Array(await packages), "zip", { extractDir: folder });
  tell("Starting convcalc", 0.75);
  return python.runPython("from convcalc.serve.playground import Playground; Playground().answer");
}

const started = start();
started.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ failed: String(error) }),
);

addEventListener("message", async ({ data: { number, message } }) => {
  const ask = await started;
  const began = performance.now();
  const answer = ask(message);
  postMessage({ number, answer, took: performance.now() - began });
});
