// Zoom and pan of a drawing in its stage: drag, two fingers, wheel (with Control or Meta: zoom), and calls.

const CLOSEST = 3;
const FARTHEST = 0.02;
const MARGIN = 24;
/** Around what is printed: half of the strongest line, and a little. */
const EDGE = 3;
/** The smallest scale at which texts are read. */
const READABLE = 0.62;
/** Pixels that a pointer moves before it drags. */
const SLACK = 4;

export class Camera {
  /** Shows `view`, a group of the picture `stage`, whose content is `size` large. */
  constructor(stage, view) {
    this.stage = stage;
    this.view = view;
    this.size = { width: 1, height: 1 };
    this.at = { x: 0, y: 0, scale: 1 };
    this.pointers = new Map();
    this.dragged = false;
    this.ending = new AbortController();
    const { signal } = this.ending;
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false, signal });
    stage.addEventListener("pointerdown", (event) => this.down(event), { signal });
    stage.addEventListener("pointermove", (event) => this.move(event), { signal });
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      stage.addEventListener(name, (event) => this.up(event), { signal });
    }
    stage.addEventListener(
      "click",
      (event) => {
        // The end of a drag is no click on what lies below it.
        if (this.dragged) event.stopPropagation();
        this.dragged = false;
      },
      { capture: true, signal },
    );
  }

  destroy() {
    this.ending.abort();
  }

  /** All of it, no larger than it is; or again as it was looked at. */
  setPaper(paper) {
    const { width, height } = this.size;
    const [wide, high] = [width, height].map((length) => Math.ceil(length) + 2 * EDGE);
    this.stage.style.maxWidth = paper ? `${wide}px` : "";
    if (paper) {
      this.stage.setAttribute("viewBox", `${-EDGE} ${-EDGE} ${wide} ${high}`);
      this.view.removeAttribute("transform");
    } else {
      this.stage.removeAttribute("viewBox");
      this.show(this.at);
    }
  }

  room() {
    const { width, height } = this.stage.getBoundingClientRect();
    return { width: width || 800, height: height || 500 };
  }

  /** All of it in the stage. */
  fit() {
    const { width, height } = this.room();
    const scale = this.whole();
    this.show({ scale, x: (width - this.size.width * scale) / 2, y: (height - this.size.height * scale) / 2 });
  }

  /** All of it where that can be read; else its beginning, around the box with which it begins. */
  begin(box) {
    const { width, height } = this.room();
    const scale = Math.max(this.whole(), READABLE);
    const along = (start, length, size, room) => {
      if (size * scale <= room - 2 * MARGIN) return (room - size * scale) / 2;
      const before = room / 2 - (start + length / 2) * scale;
      return Math.min(MARGIN, Math.max(before, room - MARGIN - size * scale));
    };
    this.show({
      scale,
      x: along(box.x, box.width, this.size.width, width),
      y: along(box.y, box.height, this.size.height, height),
    });
  }

  /** The scale at which all of it is seen. */
  whole() {
    const { width, height } = this.room();
    return Math.min((width - 2 * MARGIN) / this.size.width, (height - 2 * MARGIN) / this.size.height, 1.25);
  }

  show({ x, y, scale }) {
    this.at = { x, y, scale: Math.min(CLOSEST, Math.max(FARTHEST, scale)) };
    this.view.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${this.at.scale.toFixed(4)})`);
  }

  /** Zoom by a factor about a point of the stage, its middle unless one is given. */
  zoom(factor, point) {
    const { width, height } = this.room();
    const { x, y } = point ?? { x: width / 2, y: height / 2 };
    const scale = Math.min(CLOSEST, Math.max(FARTHEST, this.at.scale * factor));
    const moved = scale / this.at.scale;
    this.show({ scale, x: x - (x - this.at.x) * moved, y: y - (y - this.at.y) * moved });
  }

  pan(dx, dy) {
    this.show({ ...this.at, x: this.at.x + dx, y: this.at.y + dy });
  }

  /** Move as little as brings a box of the drawing into the stage; its beginning where it is larger. */
  reveal(box) {
    const { width, height } = this.room();
    const { x, y, scale } = this.at;
    const along = (start, length, room) => {
      if (length > room - 2 * MARGIN || start < MARGIN) return MARGIN - start;
      return Math.min(0, room - MARGIN - start - length);
    };
    const [left, top] = [x + box.x * scale, y + box.y * scale];
    const seen = (start, length, room) => start < room - MARGIN && start + length > MARGIN && length > room - 2 * MARGIN;
    this.pan(
      seen(left, box.width * scale, width) ? 0 : along(left, box.width * scale, width),
      seen(top, box.height * scale, height) && top > 0 ? 0 : along(top, box.height * scale, height),
    );
  }

  point(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  wheel(event) {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? this.room().height : 1;
    if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY * unit * 0.0025), this.point(event));
    else if (event.shiftKey && event.deltaX === 0) this.pan(-event.deltaY * unit, 0);
    else this.pan(-event.deltaX * unit, -event.deltaY * unit);
  }

  down(event) {
    if (event.button !== 0) return;
    this.dragged = false;
    this.pointers.set(event.pointerId, { ...this.point(event), moved: false });
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = this.point(event);
    if (!before.moved && Math.hypot(now.x - before.x, now.y - before.y) < SLACK) return;
    if (!before.moved) this.stage.setPointerCapture(event.pointerId);
    this.dragged = true;
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    if (others.length === 0) this.pan(now.x - before.x, now.y - before.y);
    else {
      const [other] = others;
      const apart = (point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
      this.zoom(apart(now) / apart(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    }
    this.pointers.set(event.pointerId, { ...now, moved: true });
  }

  up(event) {
    this.pointers.delete(event.pointerId);
  }
}
