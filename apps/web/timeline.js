/* timeline.js - the whole run as far as it is known: a slider, and above it what happened when. */

import {el, setAttribute} from "./dom.js";

const MARKS_MAX = 400;

const classOf = mark => {
  if (mark.kind === "end")
    return /^the power/.test(mark.text) ? "power" : /^the process is killed/.test(mark.text) ? "kill" : "exit";
  return mark.kind;
};

export class Timeline {
  constructor(marks, scrub, go) {
    this.marks = marks;
    this.scrub = scrub;
    this.go = go;
    this.held = false;
    scrub.addEventListener("input", () => go(Number(scrub.value)));
    scrub.addEventListener("pointerdown", () => { this.held = true; });
    for (const name of ["pointerup", "pointercancel", "blur"])
      scrub.addEventListener(name, () => { this.held = false; });
  }

  /* `list` null: as before. The scale grows in steps, so that marks do not creep. */
  draw({event, known, end, list}) {
    const scale = Math.max(64, end !== null ? end : 2 ** Math.ceil(Math.log2((known + 1) * 1.1)));
    if (this.scale !== scale)
      setAttribute(this.scrub, "max", scale);
    if (!this.held)
      this.scrub.value = event;
    this.scrub.style.setProperty("--known", `${(known / scale * 100).toFixed(2)}%`);
    this.scrub.style.setProperty("--at", `${(event / scale * 100).toFixed(2)}%`);
    if (list)
      this.list = list;
    if (!list && this.scale === scale)
      return;
    this.scale = scale;
    const shown = (this.list || []).filter(mark => mark.kind !== "boot" || mark.event > 0).slice(-MARKS_MAX);
    this.marks.replaceChildren(...shown.map(mark => {
      const made = el("i", {class: "mark k-" + classOf(mark), title: mark.text, onclick: () => this.go(mark.event)});
      made.style.left = `${(Math.min(1, mark.event / scale) * 100).toFixed(2)}%`;
      return made;
    }));
  }
}
