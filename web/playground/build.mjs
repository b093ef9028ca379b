// Bundles the scripts of the playground into the folder that is named: `node build.mjs OUT`.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (out === undefined) throw new Error("node build.mjs OUT");

const RUNTIME = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"];

const result = await build({
  absWorkingDir: here,
  entryPoints: ["src/playground.js", "src/worker.js"],
  outdir: out,
  bundle: true,
  charset: "utf8",
  external: ["./pyodide/pyodide.mjs"],
  format: "esm",
  legalComments: "none",
  metafile: true,
  minify: true,
  target: "es2022",
  logLevel: "warning",
});

await mkdir(join(out, "pyodide"), { recursive: true });
const runtime = join(here, "node_modules", "pyodide");
for (const name of RUNTIME) await copyFile(join(runtime, name), join(out, "pyodide", name));
// What can be installed from elsewhere is left out of the list of packages: nothing is.
const { info } = JSON.parse(await readFile(join(runtime, "pyodide-lock.json"), "utf8"));
await writeFile(join(out, "pyodide", "pyodide-lock.json"), JSON.stringify({ info, packages: {} }));

/** The licence of each package that the site carries. */
const folders = new Set(["node_modules/pyodide"]);
for (const path of Object.keys(result.metafile.inputs)) {
  const match = /^node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path);
  if (match !== null) folders.add(match[0]);
}
const licences = [];
for (const folder of [...folders].sort()) {
  const { name, version, license, homepage } = JSON.parse(await readFile(join(here, folder, "package.json"), "utf8"));
  const text = await readFile(join(here, folder, "LICENSE"), "utf8").catch(() => "");
  licences.push(`${name} ${version} (${license})\n\n${text.trim() || `Source: ${homepage}`}\n`);
}
await writeFile(join(out, "LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
