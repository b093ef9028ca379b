/* Tabs: one section at a time, named by the hash: #memory, #layer/conv1. Arrow keys go from one to the next. */

export function openTabs(onShow) {
  let kept = null; // the tab that was chosen itself: it keeps the focus, which the browser moves to the section
  const links = [...document.querySelectorAll("#tabs a")];
  const sections = links.map((link) => document.getElementById(link.hash.slice(1)));
  document.getElementById("tabs").setAttribute("role", "tablist");
  links.forEach((link, i) => {
    link.parentElement.setAttribute("role", "presentation");
    link.setAttribute("role", "tab");
    link.id = `tab-${sections[i].id}`;
    link.setAttribute("aria-controls", sections[i].id);
    sections[i].setAttribute("role", "tabpanel");
    sections[i].setAttribute("aria-labelledby", link.id);
    link.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const to = event.key === "Home" ? 0 : event.key === "End" ? links.length - 1 : i + step;
      if (Number.isNaN(to)) return;
      event.preventDefault();
      kept = links[(to + links.length) % links.length];
      kept.click();
    });
    link.addEventListener("click", () => {
      kept = link;
    });
  });

  function show() {
    const [tab, ...rest] = decoded(location.hash.slice(1)).split("/");
    const found = Math.max(sections.findIndex((section) => section.id === tab), 0);
    sections.forEach((section, i) => {
      section.hidden = i !== found;
      links[i].setAttribute("aria-selected", String(i === found));
      links[i].tabIndex = i === found ? 0 : -1;
    });
    kept?.focus({ preventScroll: true });
    kept = null;
    onShow(sections[found].id, rest.join("/"));
    // Whoever shows this page in a frame, as `convcalc watch` does, opens the next one at the same place.
    if (window.parent !== window) window.parent.postMessage({ place: location.hash }, "*");
  }

  window.addEventListener("hashchange", show);
  return {
    start: show,
    go(tab, path) {
      const hash = `#${tab}${path === undefined ? "" : `/${encodeURIComponent(path)}`}`;
      if (location.hash === hash) show();
      else location.hash = hash;
    },
  };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
