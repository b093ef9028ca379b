// Tabs as the pattern of ARIA has them: arrows move, one is shown.

export class Tabs {
  constructor(list, onChange) {
    this.buttons = [...list.querySelectorAll('[role="tab"]')];
    this.onChange = onChange;
    for (const button of this.buttons) button.addEventListener("click", () => this.open(button.getAttribute("aria-controls")));
    list.addEventListener("keydown", (event) => {
      const at = this.buttons.indexOf(document.activeElement);
      const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.buttons.length - 1 };
      if (at < 0 || !(event.key in steps)) return;
      event.preventDefault();
      const button = this.buttons[(steps[event.key] + this.buttons.length) % this.buttons.length];
      button.focus();
      this.open(button.getAttribute("aria-controls"));
    });
  }

  has(name) {
    return this.buttons.some((button) => button.getAttribute("aria-controls") === name);
  }

  open(name) {
    this.current = name;
    for (const button of this.buttons) {
      const controls = button.getAttribute("aria-controls");
      button.setAttribute("aria-selected", controls === name);
      button.tabIndex = controls === name ? 0 : -1;
      document.getElementById(controls).hidden = controls !== name;
    }
    this.onChange(name);
  }
}
