/* story.js - how a run ended, and why, for someone who has never seen such a page. */

import {capital, countText, el, timeText} from "./dom.js";

const NAMES = {before: "The name was in memory, and not yet on the disk.", cure: "sync the directory", call: "tp_sync_dir()"};
const BYTES = {before: "The bytes were in memory, and not yet on the disk.", cure: "sync the file", call: "tp_fsync()"};
const BEFORES = {same: ", before the same is changed again", other: ", before something else is changed",
  told: ", before others are told"};
const VERDICTS = {
  failed: "It broke its promise", deadlock: "It is stuck", liveness: "It never got its work done",
  stopped: "It stopped itself", passed: "It kept its promises",
};

function place({file, line}, otherwise) {
  return file ? `${file}:${line}` : otherwise;
}

function lines(...steps) {
  return el("ol", {class: "steps"}, ...steps.filter(Boolean).map(([tone, words, more]) =>
    el("li", {class: tone}, el("b", {}, words), more ? el("span", {}, more) : null)));
}

/* "03_rename.c:22: what is wrong" */
function split(message) {
  const found = /^(\S+\.c:\d+): (.*)$/s.exec(message);
  return found ? [capital(found[2]), `found out at ${found[1]}`] : [capital(message), ""];
}

/* What was lost: what the barrier would have kept first, and how much else. */
function lostText(explanation) {
  const all = explanation.lost.split("; "), own = explanation.barriers[0].after;
  const first = all.includes(own) ? own : all[0], rest = /^and (\d+) more$/.exec(all[all.length - 1]);
  const more = rest ? all.length - 2 + Number(rest[1]) : all.length - 1;
  return more > 0 ? `${first}, and ${more} more of what was only in memory` : first;
}

/* What of the file is not there any more. */
function lossText(barrier) {
  const file = barrier.path.split(" -> ").pop();
  if (!barrier.names)
    return `what was new in ${file} was lost`;
  return /^remove/.test(barrier.after) ? `${file} was there again` : `the new ${file} was lost`;
}

function barriers(explanation, message) {
  const steps = [], cure = el("div", {class: "cure"}, el("h3", {}, "What was missing"));
  for (const barrier of explanation.barriers) {
    const kind = barrier.names ? NAMES : BYTES;
    steps.push(["change", `The program did this: ${barrier.after}` +
      (barrier.times > 1 ? `, and ${barrier.times - 1} more at the same line` : ""), kind.before]);
    if (barrier.promise)
      steps.push(["promise", `It promised: \u201c${barrier.promise}\u201d`, "Somebody relies on that from now on."]);
    cure.append(el("p", {}, "After ", el("code", {}, place(barrier, barrier.after)), ": ", el("strong", {}, kind.cure), " with ",
      el("code", {}, kind.call), barrier.promise ? ", before that is promised." : `${BEFORES[barrier.before] || ""}.`,
      barrier.times > 1 ? ` ${barrier.times} times.` : "", barrier.own ? ` ${capital(barrier.own)}.` : ""));
  }
  const how = explanation.cut ? "The power was cut" : "A sync failed";
  return [lines(...steps, ["power", `${how}, and ${lossText(explanation.barriers[0])}`,
    explanation.lost ? `Lost: ${lostText(explanation)}.` : ""], ["end", ...split(message)]), cure];
}

/* No barrier could have come between the change and the cut. */
function torn(explanation, message) {
  const barrier = explanation.barriers[0];
  return [lines(["change", `The program did this: ${barrier.after}`, (barrier.names ? NAMES : BYTES).before],
    ["power", "The power was cut", explanation.lost ? `Of this some may be left, or all, or none: ${lostText(explanation)}.` : ""],
    ["end", ...split(message)]),
  el("div", {class: "cure"}, el("h3", {}, "What was not borne"), el("p", {}, "What a cut leaves of a change that is not synced yet; ",
    "see ", el("code", {}, place(explanation, barrier.after)), "."))];
}

/* The barrier is there, and was not waited for. */
function hurried(explanation, message) {
  const barrier = explanation.barriers[0];
  return [lines(["change", `The program did this: ${barrier.after}`, (barrier.names ? NAMES : BYTES).before],
    ["change", `It began this, and did not wait for it: ${explanation.operation}`, ""],
    barrier.promise ? ["promise", `It promised: \u201c${barrier.promise}\u201d`, "Somebody relies on that from now on."] : null,
    ["power", `The power was cut, and ${lossText(barrier)}`, explanation.lost ? `Lost: ${lostText(explanation)}.` : ""],
    ["end", ...split(message)]),
  el("div", {class: "cure"}, el("h3", {}, "What was not waited for"), el("p", {}, "The sync at ",
    el("code", {}, place(explanation, explanation.operation)),
    barrier.promise ? ": it has to complete before that is promised." : `: it has to complete${(BEFORES[barrier.before] || "").slice(1)}.`))];
}

function nameOf({event_node: node}, nodes) {
  return nodes[node] ? nodes[node].name : "it";
}

/* The one choice without which it passes. */
function befell(explanation, nodes) {
  const {event, operation} = explanation, more = "Without this the run passes.";
  if (event)
    return [`This befell ${nameOf(explanation, nodes)}: ${event}`, operation ? `${more} It was at: ${operation}.` : more];
  return [operation ? `The world was rough here: ${operation}` : "The world was rough once", more];
}

/* How far the looking has come. */
export function triesText({shrunk, runs, choices, choices_before: before}) {
  return shrunk ? `Running it again, with one thing changed each time: ${countText(runs)} runs.`
    : `Making the run smaller: ${countText(choices)} of its ${countText(before)} choices are left, after ${countText(runs)} runs.`;
}

/* It is told of a smaller run, whose numbers are others. */
function smaller({runs, choices, choices_before: before}) {
  if (choices >= before)
    return "";
  const left = choices === 1 ? "1 choice is left" : `${countText(choices)} choices are left`;
  return el("p", {class: "quiet small"}, `How it comes about, in the smallest run found that fails alike (${left} of ` +
    `${countText(before)}; ${countText(runs)} runs were tried):`);
}

/* What heads the last of it, and what is to be said behind it. */
function perhaps(explanation, heading, otherwise) {
  return explanation.chance
    ? [otherwise, " Or it is chance: where things take other times from there on, it hardly fails with this, or fails without it, too."]
    : [heading, ""];
}

function why(explanation, {message, nodes}) {
  if (explanation.kind === "torn")
    return torn(explanation, message);
  if (explanation.kind === "wait")
    return hurried(explanation, message);
  if (explanation.barriers.length > 0)
    return barriers(explanation, message);
  switch (explanation.kind) {
  case "early":
    return [lines(["promise", `It told others: ${explanation.operation}`, "What that says was not durable yet."], ["end", ...split(message)]),
      el("div", {class: "cure"}, el("h3", {}, "What came too early"), el("p", {}, "The message at ",
        el("code", {}, place(explanation, explanation.operation)), ": what it says has to be durable before."))];
  case "error": {
    const [heading, chance] = perhaps(explanation, "What was not borne", "What may not have been borne");
    return [lines(["change", `This failed: ${explanation.operation}`, explanation.lost
      ? "What it should have made durable was not, and the program went on." : "Without that error the run passes."],
    ["end", ...split(message)]),
      el("div", {class: "cure"}, el("h3", {}, heading), el("p", {}, "The error at ",
        el("code", {}, place(explanation, explanation.operation)), `: it can come at any time.${chance}`))];
  }
  case "choice": {
    const [heading, chance] = perhaps(explanation, "What it depends on", "What it may depend on");
    return [lines(["change", ...befell(explanation, nodes)], ["end", ...split(message)]), el("div", {class: "cure"},
      el("h3", {}, heading), el("p", {}, "No missing barrier and no ignored error was found. What the program does not bear is ",
        explanation.event ? el("strong", {}, `that this befalls ${nameOf(explanation, nodes)}: ${explanation.event}`)
          : "one choice of the world, which is below", `.${chance}`))];
  }
  case "restart":
    return [lines(["power", "The power was cut", "Nothing that had been written need have been lost."], ["end", ...split(message)]),
      el("div", {class: "cure"}, el("h3", {}, "What was not kept"), el("p", {}, "It fails even if that cut takes nothing, and passes ",
        "without it: what was known by then has not been written, or is not understood when it is read again; ",
        "or what is done behind a start is wrong by itself."))];
  default:
    return [lines(["end", ...split(message)]), el("p", {class: "quiet"},
      "No single barrier, error or choice was found that makes this run pass. Go back, and look at it step by step.")];
  }
}

/* A program that stopped itself: what was not true, where, and what it was told last. */
function stopped({message, nodes}, last) {
  const isLaw = /\(law \d+\)/.test(message);
  const where = (isLaw ? /submitted at (?:\S*\/)?(\S+\.c:\d+)/ : /^(\S+\.c:\d+): /).exec(message);
  const [words, ...rest] = split(message)[0].split("\n");
  const who = last && nodes.length > 1 && nodes[last.node] ? nodes[last.node].name : "the program";
  const result = last && last.result !== null && last.result !== undefined ? ` = ${last.result}` : "";
  return [lines(last ? ["change", `The last that is known of ${who}: ${last.text}${result}`, `at ${timeText(last.at_ns)}`] : null,
    ["end", isLaw ? "It broke a law of the runtime, which stopped it" : "It stopped itself: what it asserts was not true", words]),
  el("div", {class: "cure"}, el("h3", {}, "Where it stopped"), el("p", {},
    ...where ? [isLaw ? "Submitted at " : "At ", el("code", {}, where[1]), isLaw ? ". " : ": "] : [],
    isLaw ? "What the laws are is in docs/laws.md."
      : "that must always hold there. What led to it is before this moment: go back, step by step.")),
  rest.length > 0 ? el("details", {}, el("summary", {}, "All that it said"), el("pre", {}, message)) : ""];
}

/* Natively the same can be found out. */
function unexplained(words, command) {
  const native = command.replace(" replay ", " explain ");
  return [el("p", {class: "quiet"}, `It could not be explained: ${words}`), el("p", {class: "quiet"}, "In the repository, ",
    el("code", {}, `apps/run.sh ${native.replace(/^tempest-/, "")}`), " does it",
    native.includes(" --tape ") ? ": save the tape, and give its name." : ".")];
}

/* `found`: null while nobody knows, {explanation} or {error}. */
export function tellStory(root, {state, found, last, actions}) {
  const {verdict, message} = state;
  const passed = verdict === "passed";
  const story = [el("h2", {}, el("i", {class: "led"}), VERDICTS[verdict] || capital(verdict))];

  if (passed) {
    story.push(el("p", {}, `${countText(state.operations)} operations in ${timeText(state.now_ns)} of its time, a power cut of all at ` +
      "the end, and everything that was promised is there."));
  } else {
    const isTold = found && found.explanation && found.explanation.done;
    const [words, where] = split(message);
    const isStop = verdict === "stopped", isFound = isTold && found.explanation.kind !== "none";
    const told = isTold && !isStop ? found.explanation.message : message;
    if (!isStop && (!isTold || told !== message))
      story.push(el("p", {class: "message"}, words), where ? el("p", {class: "quiet small"}, where) : "");
    if (isStop && !isFound)
      story.push(...stopped(state, last));
    if (isFound || (isTold && !isStop))
      story.push(smaller(found.explanation), ...why(found.explanation, {...state, message: told}));
    else if (isTold)
      story.push(el("p", {class: "quiet"}, "Nothing that befell it was found without which it would not stop."));
    else if (found && found.error)
      story.push(...unexplained(found.error, state.command));
    else
      story.push(el("p", {class: "quiet looking"}, "Why? It is being found out. ", el("span", {id: "tries", "aria-hidden": "true"})));
    if (isTold)
      story.push(el("details", {open: found.explanation.kind === "choice" && !found.explanation.event},
        el("summary", {}, "As tempest-sim explain says it"), el("pre", {}, found.explanation.text)));
  }
  story.push(el("div", {class: "bar"}, ...actions.map(action => el("button", {type: "button", onclick: action.act}, action.words))));
  root.className = "verdict " + (passed ? "good" : "bad");
  root.replaceChildren(...story);
  root.hidden = false;
}
