// What boxes say: numbers, shares, signs, and texts that fit.

export const SIGNS = { added: "+", removed: "−", changed: "~", same: "" };
/** Shares of the total, in per cent, below which a box has one colour; the last colour has no end. */
export const STEPS = [0, 0.5, 2, 5, 10, 20];

const measuring = new Map();

/** The width of a text in a font. */
export function textWidth(text, font) {
  if (!measuring.has(font)) {
    const context = document.createElement("canvas").getContext("2d");
    context.font = font;
    measuring.set(font, context);
  }
  return measuring.get(font).measureText(text).width;
}

/** A text that is no wider than the room, with … where it is cut. */
export function fitted(text, font, room) {
  // No box shows more than so many characters: what is measured is bounded.
  const start = text.slice(0, 200);
  if (start === text && textWidth(text, font) <= room) return text;
  let [low, high] = [0, start.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(`${start.slice(0, middle)}…`, font) <= room) low = middle;
    else high = middle - 1;
  }
  return `${[...start].slice(0, [...start.slice(0, low)].length).join("")}…`;
}

/** An exact integer with separators; one that JSON's numbers do not hold exactly says so. */
export function exact(value) {
  return Number.isSafeInteger(value) ? value.toLocaleString("en-US") : `≈ ${value.toExponential(4)}`;
}

/** A share in per cent. */
export function percent(share) {
  if (share === 0) return "0 %";
  if (share < 0.001) return "< 0.1 %";
  return `${(100 * share).toFixed(1)} %`;
}

/** The number of the colour of a share. */
export function step(share) {
  if (share === 0) return 0;
  const found = STEPS.findIndex((end, index) => index > 0 && 100 * share < end);
  return found === -1 ? STEPS.length : found;
}

/** What each colour stands for. */
export function stepNames() {
  const ends = STEPS.slice(1).map((end) => `< ${end} %`);
  return ["0 %", ...ends, `≥ ${STEPS[STEPS.length - 1]} %`];
}
