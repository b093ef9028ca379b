/* Counts and sizes to three digits, rounded half up, as convcalc's units write them. */

const COUNTS = [[10n ** 12n, "T"], [10n ** 9n, "G"], [10n ** 6n, "M"], [10n ** 3n, "K"]];
const BYTES = [[2n ** 20n, "MiB"], [2n ** 10n, "KiB"]];

export function short(exact) {
  const [, digits, bytes] = /^([\d,]+)( B)?$/.exec(exact) ?? [];
  if (digits === undefined) return exact;
  const value = BigInt(digits.replaceAll(",", ""));
  const [size, unit] = (bytes ? BYTES : COUNTS).find(([least]) => value >= least) ?? [];
  if (size === undefined) return exact;
  const places = BigInt(Math.max(3 - String(value / size).length, 0));
  const scale = 10n ** places;
  const rounded = (2n * value * scale + size) / (2n * size);
  const whole = rounded / scale;
  const written = bytes ? grouped(whole) : String(whole);
  const decimals = places ? `.${String(rounded % scale).padStart(Number(places), "0")}` : "";
  return `${written}${decimals} ${unit}`;
}

export function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/* What a cell is sorted by: its number, the product of its sizes, or its word. */
export function key(text) {
  const sizes = text.replace(/ (B|ns)$|%$/, "").replaceAll(",", "").replace(/^</, "").split("×");
  const numbers = sizes.map(Number);
  if (!text || text === "-") return null;
  return numbers.every((number) => Number.isFinite(number)) ? numbers.reduce((a, b) => a * b) : text;
}
