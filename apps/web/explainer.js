/* explainer.js - a worker that finds out why a run failed: its tape is run again here, and then many
 * times with one thing changed, while the page stays as it is. It ends when it has an answer. */

import {Engine} from "./engine.js";

const STEP_EVENTS = 20000;
const TELL_MS = 250;

/* The run once more, at its end. If that is where the program stops itself, it is a copy of the instance that did. */
function overAgain(module, setting) {
  const engine = new Engine(module);
  try {
    engine.open(setting.scenario, setting.seed, setting);
    while (!engine.over)
      engine.step(STEP_EVENTS);
    return engine;
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError))
      throw error;
    const copy = new Engine(module);
    copy.restore(engine.snapshot());
    copy.stopped(engine.said || error.message);
    return copy;
  }
}

function explain(module, setting) {
  let engine = overAgain(module, setting);
  let toldAt = performance.now();
  let more = true;

  engine.explainBegin();
  while (more) {
    const before = engine.snapshot();
    try {
      more = engine.explainStep();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError))
        throw error;
      /* The program stopped itself in one of the trials: that one has failed, the others go on. */
      const after = engine.snapshot(before);
      engine = new Engine(module);
      more = engine.explainTrapped(before, after);
    }
    if (more && performance.now() - toldAt > TELL_MS) {
      postMessage({explanation: engine.explanation()});
      toldAt = performance.now();
    }
  }
  postMessage({explanation: engine.explanation()});
}

onmessage = async ({data}) => {
  try {
    const response = await fetch(data.url);
    explain(await WebAssembly.compile(await response.arrayBuffer()), data.setting);
  } catch (error) {
    postMessage({error: String(error.message || error)});
  }
  close();
};
