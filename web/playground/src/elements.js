// Elements from plain data. Texts are texts, whatever stands in them.

/** `element("p", {class: "dim"}, "text", child)` */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A drawing as a picture: nothing in it runs, and no style of it reaches the page. */
export function picture(svg, said) {
  const image = element("img", { alt: said });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  return image;
}
