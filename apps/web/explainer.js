/* explainer.js - a worker that finds out why a run failed: its tape is made smaller here, and then run again and again
 * with one thing changed, while the page stays as it is. It ends when it has an answer. */

import {Explainer} from "./engine.js";

const TELL_MS = 250;

async function load(url) {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

onmessage = async ({data: {why, sim, setting}}) => {
  try {
    const explainer = new Explainer(...await Promise.all([load(why), load(sim)]));
    let toldAt = performance.now();
    const explanation = explainer.explain(setting.scenario, setting.tape, {...setting, tell: () => {
      if (performance.now() - toldAt > TELL_MS) {
        postMessage({explanation: explainer.explanation()});
        toldAt = performance.now();
      }
    }});
    postMessage({explanation, tape: explainer.tape()});
  } catch (error) {
    postMessage({error: String(error.message || error)});
  }
  close();
};
