/* moment.js - when it is in the run, by which hash that is known, and by which command the same is had natively. */

import {$, countText, el, setAttribute, setText, timeText} from "./dom.js";

const PHASES = {"warm-up": "nothing goes wrong yet", chaos: "now things may go wrong", liveness: "nothing goes wrong any more: " +
  "the work has to get done", recovery: "all power was cut: everything boots again", check: "is everything there that was promised?"};

/* `tape`: null, or what runs instead of a seed. */
export function drawMoment(state, last, tape) {
  setText($("phase"), state.phase);
  setAttribute($("phase"), "data-phase", state.phase);
  setAttribute($("phase"), "title", PHASES[state.phase] || null);
  setText($("now"), timeText(state.now_ns));
  setText($("event"), countText(last.event));
  setText($("next-in"), state.next_ns === null ? "" : `next in ${timeText(Math.max(0, state.next_ns - state.now_ns))}`);
  setText($("storm"), state.families.length > 0 ? `this ${tape ? "tape" : "seed"} has: ${state.families.join(", ")}` : "");
  setAttribute($("storm"), "title", $("storm").textContent);
}

/* It breaks between words only, and not at their hyphens. */
function drawCommand(command) {
  if ($("command").textContent === command)
    return;
  $("command").replaceChildren(...command.split(" ").flatMap((word, i) => [i > 0 ? " " : "", el("span", {}, word)]));
}

export function drawProof(state, last, tape) {
  const isTaped = last.clicks.length > 0 || tape;
  setText($("hash-what"), state.verdict === "stopped" ? "Trace hash until it stopped itself:" : state.over ? "Trace hash of the whole run:" : `Trace hash after ${countText(last.event)} events:`);
  setText($("hash"), state.trace);
  drawCommand(state.command);
  setText($("command-what"), state.verdict === "stopped" ? "Natively, too, it stops itself there, and says the same." : isTaped
    ? `${last.clicks.length > 0 ? "With your clicks a run" : "This run"} is a tape: save it, and give its name. It ends with the same hash.`
    : "In the repository: apps/run.sh sim, and what follows tempest-sim here. It ends with the same hash.");
}
