/* events.js - what has happened last, in words, the newest first. */

import {capital, el, timeText} from "./dom.js";

const SHOWN = 60;

function row(fact, names) {
  const isOperation = fact.kind === "operation";
  const text = isOperation ? fact.text : fact.kind === "phase" ? fact.text.replace(/^-- /, "Phase: ") : capital(fact.text);
  const result = isOperation && fact.result !== null && fact.result !== undefined ? el("span", {class: "result"}, ` = ${fact.result}`) : null;
  const who = fact.node === null ? "" : names[fact.node] || `node ${fact.node}`;
  return el("li", {class: `e-${fact.kind}${fact.fault ? " fault" : ""}`},
    el("span", {class: "time"}, timeText(fact.at_ns)), el("span", {class: "who"}, who),
    el("span", {class: "words"}, text, result));
}

export class Events {
  constructor(root) {
    this.root = root;
    this.last = null; /* that befell a node */
  }

  draw({facts, isElsewhere}, names) {
    const verdict = facts.findIndex(fact => fact.kind === "verdict");
    /* After the verdict the run is taken down, which nobody need see. */
    const told = verdict < 0 ? facts : facts.slice(0, verdict + 1);
    const fresh = told.filter(fact => fact.stage === "" || fact.stage === "completes").slice(-SHOWN).reverse().map(fact => row(fact, names));
    if (isElsewhere)
      this.last = null;
    this.last = told.findLast(fact => fact.node !== null) || this.last;
    if (isElsewhere)
      this.root.replaceChildren(...fresh);
    else if (fresh.length > 0)
      this.root.prepend(...fresh);
    while (this.root.children.length > SHOWN)
      this.root.lastElementChild.remove();
  }
}
