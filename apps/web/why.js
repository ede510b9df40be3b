/* why.js - who finds out why a run failed: a worker (explainer.js). It is there, with both modules, when the page is: so
 * it needs nothing of the server any more, and explains by the same simulator in which the run has failed. */

const SILENCE_MS = 30000; /* a trial is given up after 10 s, but between two events only */
const SILENT = `for ${SILENCE_MS / 1000} seconds nothing was heard of a trial, which was given up.`;
const NOT_YET = `what does that has not been loaded for ${SILENCE_MS / 1000} seconds.`;
const NOT_THERE = "what does that could not be loaded. Is the server still there?";

async function compile(url) {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

export class Why {
  #sim;
  #url;
  #why = null; /* a promise of the module */
  #helpers = []; /* {worker, isFree}: one, or two when one is to take over from another */
  #job = null; /* {setting, tell, helper}: what is wanted, and who is at it */
  #silence = 0; /* a timer */

  /* `sim` is the simulator's module, `url` is where the other one is. */
  constructor(sim, url) {
    this.#sim = sim;
    this.#url = url;
    this.#start();
  }

  /* Of a run that has failed, by the tape in `setting`. tell() is given {explanation}, and that again and again, with
   * the smaller `tape` at last; or {error}. */
  ask(setting, tell) {
    this.forget();
    this.#job = {setting, tell, helper: null};
    if (this.#helpers.length === 0)
      this.#start(); /* the server may be there again */
    this.#listen();
    this.#give();
  }

  /* Nobody wants to know it any more. Who is at it does not hear that, and goes when another one is there. */
  forget() {
    clearTimeout(this.#silence);
    if (this.#job?.helper && this.#helpers.length === 1)
      this.#start();
    this.#job = null;
  }

  #start() {
    const helper = {worker: new Worker(new URL("explainer.js", import.meta.url), {type: "module"}), isFree: false};
    helper.worker.onmessage = ({data}) => this.#heard(helper, data);
    helper.worker.onerror = event => this.#lost(helper, event.message || NOT_THERE);
    this.#helpers.push(helper);
    this.#why ??= compile(this.#url);
    this.#why.then(why => helper.worker.postMessage({why, sim: this.#sim}), () => {
      this.#why = null;
      this.#lost(helper, NOT_THERE);
    });
  }

  #drop(helper) {
    helper.worker.terminate();
    this.#helpers = this.#helpers.filter(each => each !== helper);
  }

  #lost(helper, words) {
    this.#drop(helper);
    if (this.#job && (this.#job.helper === helper || this.#helpers.length === 0))
      this.#end({error: words});
  }

  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      const {helper} = this.#job;
      if (helper) {
        this.#drop(helper);
        this.#start();
      }
      this.#end({error: helper ? SILENT : NOT_YET});
    }, SILENCE_MS);
  }

  #give() {
    const helper = this.#helpers.find(each => each.isFree);
    if (!helper || !this.#job || this.#job.helper)
      return;
    helper.isFree = false;
    this.#job.helper = helper;
    this.#listen();
    helper.worker.postMessage({setting: this.#job.setting});
  }

  #end(found) {
    const {tell} = this.#job;
    clearTimeout(this.#silence);
    this.#job = null;
    tell(found);
  }

  #heard(helper, {isReady, isDone, ...found}) {
    helper.isFree = isReady || isDone;
    if (isReady)
      this.#helpers.filter(each => each !== helper && each !== this.#job?.helper).forEach(each => this.#drop(each));
    else if (this.#job?.helper === helper && isDone)
      this.#end(found);
    else if (this.#job?.helper === helper) {
      this.#listen();
      this.#job.tell(found);
    }
    this.#give();
  }
}
