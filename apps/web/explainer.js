/* explainer.js - a worker that finds out why a run failed: its tape is made smaller here, and then run again and again
 * with one thing changed, while the page stays as it is. First it is given both modules, then one run after the other. */

import {Explainer} from "./engine.js";

const TELL_MS = 250;

let modules = null; /* {why, sim} */

function explain(setting) {
  let toldAt = performance.now();
  try {
    const explainer = new Explainer(modules.why, modules.sim);
    const explanation = explainer.explain(setting.scenario, setting.tape, {...setting, tell: () => {
      if (performance.now() - toldAt > TELL_MS) {
        postMessage({explanation: explainer.explanation()});
        toldAt = performance.now();
      }
    }});
    postMessage({isDone: true, explanation, tape: explainer.tape()});
  } catch (error) {
    postMessage({isDone: true, error: String(error.message || error)});
  }
}

onmessage = ({data}) => {
  if (modules !== null) {
    explain(data.setting);
    return;
  }
  modules = data;
  postMessage({isReady: true});
};
