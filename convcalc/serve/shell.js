"use strict";
// Shows the page that the server has, asks what has changed, and puts what was said of a wrong spec above it.

const element = (id) => document.getElementById(id);
let seen = -1;
let page = 0;
let place = "";

/** The last page stays until the next is there. */
function show(number) {
  page = number;
  const frame = document.createElement("iframe");
  frame.title = "Report";
  frame.className = "coming";
  frame.setAttribute("sandbox", "allow-scripts");
  frame.addEventListener("load", () => {
    if (page !== number) return frame.remove();
    frame.className = "";
    for (const other of document.querySelectorAll("iframe")) if (other !== frame) other.remove();
  });
  frame.src = `page?number=${number}${place}`;
  element("pages").append(frame);
}

/** The lines of the terminal, with the colours that their beginnings stand for. */
function say(text) {
  const lines = text.replace(/\n$/, "").split("\n").map((line) => {
    const shown = document.createElement("span");
    const kind = /(?:^|:\d+: )(error|warning)\b/.exec(line);
    if (/^\s*hint:/.test(line)) shown.className = "hint";
    else if (/^\s*\|\s*\^+\s*$/.test(line)) shown.className = "caret";
    else if (kind) shown.className = kind[1];
    shown.textContent = `${line}\n`;
    return shown;
  });
  element("lines").replaceChildren(...lines);
}

function state(is, text) {
  element("state").dataset.is = is;
  element("state").textContent = text;
}

function take(shown) {
  seen = shown.number;
  document.title = `${shown.failed ? "✗ " : ""}${shown.name} · convcalc watch`;
  if (shown.page && shown.page !== page) show(shown.page);
  if (shown.reading) return state("reading", `${shown.name}: reading …`);
  say(shown.said);
  element("said").hidden = !shown.said;
  element("said").className = shown.failed ? "failed" : "";
  element("stale").hidden = !(shown.failed && shown.page);
  if (shown.failed) state("failed", `${shown.name} cannot be shown as it is`);
  else state("good", `${shown.name} as it is`);
}

async function follow() {
  for (let failures = 0; ; ) {
    try {
      const answer = await fetch(`state?after=${seen}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const shown = await answer.json();
      failures = 0;
      if (shown.number !== seen) take(shown);
    } catch {
      failures += 1;
      state("gone", "convcalc watch has ended: start it again, and open the address that it says");
      await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** failures, 10000)));
      seen = -1;
    }
  }
}

// A page tells which tab and layer it shows, so that the next one opens there.
addEventListener("message", (event) => {
  const frame = document.querySelector("iframe:not(.coming)");
  if (!frame || event.source !== frame.contentWindow || typeof event.data?.place !== "string") return;
  if (event.data.place.startsWith("#") && event.data.place.length < 2000) place = event.data.place;
});

follow();
