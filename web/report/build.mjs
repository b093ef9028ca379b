// Bundles the scripts of the pages into convcalc/page/scripts/, with their hashes and the licences of what they
// carry. `node build.mjs` writes them; with `--check` it says which of them are not what the sources give.
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, version as esbuild } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "..", "convcalc", "page", "scripts");
const SCRIPTS = ["page", "diagram", "sweep"];

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The folders of the packages of which bundles have files, and of those that these packages carry in their own. */
function carried(inputs, lock) {
  const found = new Set();
  const add = (folder) => {
    if (found.has(folder)) return;
    found.add(folder);
    for (const name of Object.keys(lock.packages[folder].dependencies ?? {})) add(`node_modules/${name}`);
  };
  for (const path of inputs) {
    const match = /^node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path);
    if (match !== null) add(match[0]);
  }
  return [...found].sort();
}

/** A script without raw controls, which a page must not have; in scripts they stand in strings alone. */
const escaped = (text) =>
  text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);

async function bundle(name) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [join("src", `${name}.js`)],
    bundle: true,
    charset: "utf8",
    format: "iife",
    legalComments: "none",
    metafile: true,
    minify: true,
    platform: "browser",
    target: "es2020",
    write: false,
    logLevel: "warning",
  });
  const [file] = result.outputFiles;
  return { name: `${name}.js`, text: escaped(file.text), inputs: Object.keys(result.metafile.inputs) };
}

/** The text of a package's licence. Fails where it has none. */
async function licence(folder, manifest) {
  for (const name of ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE"]) {
    try {
      return (await readFile(join(here, folder, name), "utf8")).trim();
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  throw new Error(`${manifest.name} carries no licence`);
}

/** name -> text of every file that the build writes. */
async function built() {
  const lock = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
  const bundles = await Promise.all(SCRIPTS.map(bundle));
  const folders = carried(bundles.flatMap((each) => each.inputs), lock);
  const packages = {};
  const licences = [];
  for (const folder of folders) {
    const manifest = JSON.parse(await readFile(join(here, folder, "package.json"), "utf8"));
    const { version, integrity } = lock.packages[folder];
    if (manifest.version !== version) throw new Error(`${folder} is ${manifest.version}, locked at ${version}`);
    packages[manifest.name] = { version, licence: manifest.license, integrity };
    licences.push(`${manifest.name} ${version} (${manifest.license})\n\n${await licence(folder, manifest)}\n`);
  }
  const files = Object.fromEntries(bundles.map((each) => [each.name, each.text]));
  files["LICENSES.txt"] = licences.join(`\n${"-".repeat(80)}\n\n`);
  const hashes = { esbuild, packages, files: {} };
  for (const [name, text] of Object.entries(files)) hashes.files[name] = sha256(text);
  files["hashes.json"] = `${JSON.stringify(hashes, null, 2)}\n`;
  return files;
}

const check = process.argv.includes("--check");
await mkdir(target, { recursive: true });
for (const [name, text] of Object.entries(await built())) {
  const path = join(target, name);
  if (!check) {
    await writeFile(path, text);
    console.log(`${name}  ${Buffer.byteLength(text).toLocaleString("en")} bytes`);
  } else if ((await readFile(path, "utf8").catch(() => "")) !== text) {
    console.error(`${name} is not what the sources give: npm run build`);
    process.exitCode = 1;
  }
}
