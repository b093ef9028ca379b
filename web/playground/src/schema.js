// What the language's JSON Schema allows at a place of a spec.
import { where } from "./where.js";

const DEEPEST = 40;

export class Schema {
  constructor(schema) {
    this.schema = schema;
  }

  /** The schemas that a schema stands for: references followed, alternatives beside each other. */
  *flat(schema, depth = 0) {
    if (typeof schema !== "object" || schema === null || depth > DEEPEST) return;
    if (typeof schema.$ref === "string") {
      const name = schema.$ref.replace(/^#\/definitions\//, "");
      yield* this.flat(this.schema.definitions[name], depth + 1);
      return;
    }
    yield schema;
    for (const part of ["anyOf", "oneOf", "allOf"]) {
      for (const each of schema[part] ?? []) yield* this.flat(each, depth + 1);
    }
  }

  /** The schemas below these at a key's name, or at an item of a list (null). */
  *below(schemas, step) {
    for (const schema of schemas) {
      if (step === null) {
        if (typeof schema.items === "object") yield* this.flat(schema.items);
      } else if (Object.hasOwn(schema.properties ?? {}, step)) {
        yield* this.flat(schema.properties[step]);
      } else if (typeof schema.additionalProperties === "object") {
        yield* this.flat(schema.additionalProperties);
      }
    }
  }

  at(path) {
    let schemas = [...this.flat(this.schema)];
    for (const step of path) schemas = [...this.below(schemas, step)];
    return schemas;
  }

  /** name -> {detail, key}: what may be written at the end of a text. */
  candidates(text) {
    const { path, key, word, text: prose } = where(text);
    const found = new Map();
    if (prose || !/^[\w.]*$/.test(word)) return { found, word };
    const schemas = this.at(path);
    if (key) {
      for (const schema of schemas) {
        for (const [name, value] of Object.entries(schema.properties ?? {})) {
          const [said] = [...this.flat(value)].map((each) => each.description).filter(Boolean);
          if (!found.has(name)) found.set(name, { key: true, detail: said ?? "" });
        }
      }
    }
    const values = key && path.length > 0 && path[path.length - 1] !== null ? [] : schemas;
    for (const schema of values) {
      const listed = schema.enum ?? ("const" in schema ? [schema.const] : schema.type === "boolean" ? [true, false] : []);
      for (const value of listed) {
        const name = String(value);
        if (["string", "number", "boolean"].includes(typeof value) && !found.has(name)) {
          found.set(name, { key: false, detail: schema.description ?? "" });
        }
      }
    }
    return { found, word, path, key };
  }
}

/** The names of a section of a spec: its blocks, its params. */
export function named(text, section) {
  const found = new RegExp(`^${section}:[ \\t]*(?:#.*)?\\n((?:[ \\t]+.*\\n|[ \\t]*\\n)*)`, "m").exec(`${text}\n`);
  const lines = found ? found[1].split("\n").filter((line) => /\S/.test(line) && !/^\s*#/.test(line)) : [];
  const least = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  return lines.map((line) => /^(\s+)([\w]+):/.exec(line)).filter((each) => each && each[1].length === least).map((each) => each[2]);
}
