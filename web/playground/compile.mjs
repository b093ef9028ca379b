// Compiles the packages of a site for the Python that it brings, so that no browser has to: `node compile.mjs OUT`.
// The compiled modules take the place of their sources, but for those that are read as texts.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , out] = process.argv;
const KEPT = "convcalc/export/copied/";
/** Of the standard library, what neither a page nor convcalc can use. */
const LEFT_OUT = ["multiprocessing/", "unittest/", "_pyrepl/", "pdb.py", "pydoc.py", "doctest.py", "mailbox.py"];
const ARCHIVES = [join("pyodide", "python_stdlib.zip"), "packages.zip"];
const COMPILE = `
import importlib._bootstrap_external as external, io, zipfile

def compiled(data, kept, left_out):
    given, made = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in sorted(given.namelist()):
            if name.endswith("/") or name.startswith(left_out):
                continue
            text = given.read(name)
            if name.endswith(".py") and not name.startswith(kept):
                documented = name.startswith("convcalc/")
                code = compile(text, name, "exec", dont_inherit=True, optimize=0 if documented else 2)
                text, name = external._code_to_hash_pyc(code, bytes(8), checked=False), name + "c"
            target.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), bytes(text), zipfile.ZIP_DEFLATED)
    return made.getvalue()

lambda data, kept, left_out: compiled(data.to_bytes(), kept, tuple(left_out))
`;

const folder = join(out, "pyodide");
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
// Without columns of instructions, which only tracebacks show: they would be a quarter of it.
const python = await loadPyodide({ indexURL: `${folder}/`, env: { HOME: "/home/pyodide", PYTHONNODEBUGRANGES: "1" } });
const compiled = python.runPython(COMPILE);
for (const name of ARCHIVES) {
  const path = join(out, name);
  const made = compiled(new Uint8Array(await readFile(path)), KEPT, LEFT_OUT);
  await writeFile(path, made.toJs());
  made.destroy();
}
