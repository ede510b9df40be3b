/* story.js - what happened, for someone who has never seen such a page: a few sentences, each of
 * which leads to its event. */

function element(tag, fields, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(fields || {})) {
    if (name === "class")
      made.className = value;
    else if (name.startsWith("on"))
      made.addEventListener(name.slice(2), value);
    else
      made.setAttribute(name, value);
  }
  for (const child of children)
    made.append(child);
  return made;
}

function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/* The event of an operation that an explanation names. */
function eventOf(run, place) {
  return run.events.find(e => e.type === "op" && e.node === place.node && e.number === place.effect);
}

/* What a choice befalls may not have taken effect: it is known by where and when. */
function befallenOf(run, place) {
  return run.events.find(e => e.type === "op" && e.node === place.node && e.site === place.site &&
    [e.from, e.effect, e.to].some(at => at !== undefined && run.facts[at][0] === place.at_ns));
}

/* What a choice comes to: a fault of a node, or of the links. */
function faultOf(run, {at_ns, text}) {
  return run.events.find(e => e.type === "event" && e.t === at_ns && e.text === "Fault: " + decode(text));
}

/* Where they are, all that are there. */
function pointedAt(explanation, run) {
  const events = explanation.how === "choice"
    ? explanation.event ? [faultOf(run, explanation.event)] : explanation.places.map(place => befallenOf(run, place))
    : [...explanation.places, explanation.then].map(place => place && eventOf(run, place));
  return events.filter(event => event).map(event => event.index);
}

/* What followed, and made it fatal. */
function thenOf(explanation) {
  switch (explanation.how) {
  case "early":
    return ["It had not waited for this", "then the process came to its end, and knew of it no more"];
  case "torn":
    return ["It was read again", "and taken for what it was before the power cut"];
  default:
    return ["Then it did this", "which is right only if the step before it lasts"];
  }
}

function lastBefore(run, index, accepts) {
  for (let i = index; i >= 0; i--) {
    if (accepts(run.events[i]))
      return run.events[i];
  }
  return null;
}

/* The first of the latest exits that are all alike, each with the same error, and how many they are. */
function lastExits(run, index) {
  const exits = run.events.slice(0, index).filter(e => e.type === "exit" || e.type === "promise").reverse();
  const odd = exits.findIndex(e => !e.bad || e.text !== exits[0].text || e.node !== exits[0].node);
  const times = odd < 0 ? exits.length : odd;
  return [exits[times - 1], times];
}

/* The one choice of the world without which it passes, as a step. */
function choiceOf(explanation, run) {
  const [place] = explanation.places, more = "without this the run passes";
  if (explanation.event) {
    const {node, text} = explanation.event, name = run.nodes.has(node) ? run.node(node).label : "the run";
    return [`This befell ${name}: ${decode(text)}`, place ? `${more}; it was at: ${place.operation}` : more,
      faultOf(run, explanation.event)];
  }
  return place ? ["The world chose to be rough here: " + place.operation, more + "; which choice it was is told beside this",
    befallenOf(run, place)] : ["The world chose to be rough once", more + "; which choice it was is told beside this", undefined];
}

/* Steps of the story: {words, more, event, tone}. */
function stepsOf(data, run) {
  const explanation = data.explanation, steps = [];
  const verdict = run.failure >= 0 ? run.events[run.failure] : null;
  const before = verdict ? verdict.index : run.events.length - 1;
  const who = number => run.order.length > 1 ? run.node(number).label : "the program";
  const add = (words, more, event, tone) => steps.push({words, more, event, tone});

  for (const place of explanation.how === "choice" || explanation.how === "restart" ? [] : explanation.places) {
    const event = eventOf(run, place);
    if (explanation.how === "early")
      add(capital(who(place.node)) + " told others: " + place.operation, "before it was sure of it", event, "mark");
    else if (explanation.how === "barrier" || explanation.how === "torn" || explanation.how === "wait")
      add(capital(who(place.node)) + " did this: " + place.operation + (place.times > 1
        ? `, and ${place.times - 1} more at the same line` : ""), place.names ? "the name was in memory, not yet on the disk"
        : "the bytes were in memory, not yet on the disk", event, "mark");
    else
      add(capital(who(place.node)) + " got an error: " + place.operation + (event ? " = " + event.result : ""),
        explanation.how === "unheard" ? "the bytes were not on the disk, and it went on" :
        "if this had not failed, the run would have passed", event, "mark");
  }
  if (explanation.how === "choice")
    add(...choiceOf(explanation, run), "mark");
  if (explanation.then) {
    const [words, more] = thenOf(explanation), event = eventOf(run, explanation.then);
    add(words + ": " + explanation.then.operation + (event && event.bad ? " = " + event.result : ""), more, event, "mark");
  }
  const promise = lastBefore(run, before, e => e.type === "promise");
  if (promise && explanation.places.some(place => place.promise))
    add("It told its user: \u201c" + promise.words.replace(/^Promised: /, "") + "\u201d", "a promise to be kept", promise,
      "promise");
  const cut = lastBefore(run, before, e => e.type === "power" || e.type === "kill");
  if (cut && !(explanation.event && explanation.event.at_ns === cut.t))
    add(cut.type === "power" ? "The power was cut" : "The process was killed",
      explanation.unkept ? "not durable by then: " + explanation.unkept : "on " + run.node(cut.node).label, cut,
      "power");
  const [first, times] = verdict && run.raw.verdict === "liveness" ? lastExits(run, before) : [null, 0];
  if (times > 1)
    add(capital(who(first.node)) + " cannot go on: " + first.text.replace(/^The process exits: /, ""), "it is started " + times +
      " times, and ends like this each time", first, "mark");
  if (verdict)
    add(capital(verdict.words), ENDINGS[run.raw.verdict] || "", verdict, "verdict");
  return steps.sort((a, b) => (a.event ? a.event.index : -1) - (b.event ? b.event.index : -1));
}

/* What a verdict means, where its name does not say it. */
const ENDINGS = {liveness: "it never got its work done, though nothing hindered it any more", deadlock:
  "it waits, and nothing can wake it", hang: "it worked on and on, and time stood still", diverged:
  "the same seed did something else: something outlived a run", empty: "nothing was started at all",
stopped: "the program stopped itself", crashed: "its process died", sanitizer: "the program did what C does not allow"};

/* Of a run that has no verdict of its own. */
const STOPS = {stopped: "what the program asserts there was not true.", sanitizer: "the program did what C does not allow.",
  crashed: "the process came to an end in the midst of the run."};

function cureOf(data, run) {
  const explanation = data.explanation;
  const cure = element("div", {class: "cure"});
  if (explanation.how === "barrier") {
    cure.append(element("h2", {}, explanation.places.length > 1 ? "What is missing" : "The line that would have saved it"));
    for (const place of explanation.places)
      cure.append(element("p", {}, "After ", element("code", {}, place.site || place.operation), ": ",
        element("strong", {}, place.names ? "sync the directory" : "sync the file"), " ",
        element("code", {}, place.names ? "tp_sync_dir()" : "tp_fsync()"),
        place.promise ? ", before it is promised." : explanation.then && explanation.places.length === 1
          ? element("span", {}, ", before ", element("code", {}, explanation.then.operation), ".") : ".",
        place.times > 1 ? ` ${place.times} times.` : "", place.own ? ` ${capital(place.own)}.` : ""));
  } else if (explanation.how === "wait") {
    cure.append(element("h2", {}, "What is not waited for"));
    for (const place of explanation.places)
      cure.append(element("p", {}, "The sync after ", element("code", {}, place.site || place.operation),
        ": it has to complete before what comes next."));
  } else if (explanation.how === "error" || explanation.how === "unheard") {
    cure.append(element("h2", {}, "What was not borne"));
    for (const place of explanation.places)
      cure.append(element("p", {}, "The error at ", element("code", {}, place.site || place.operation),
        explanation.how === "unheard" ? ": what it should have made durable was not." : ": without it the run passes."));
  } else if (explanation.how === "torn") {
    cure.append(element("h2", {}, "What was not borne"));
    for (const place of explanation.places)
      cure.append(element("p", {}, "What a power cut leaves of ", element("code", {}, place.site || place.operation),
        " before it is synced: some of it, or all, or none."));
  } else if (explanation.how === "early") {
    cure.append(element("h2", {}, "What came too early"));
    for (const place of explanation.places)
      cure.append(element("p", {}, "The message at ", element("code", {}, place.site || place.operation),
        ": what it tells was not durable yet."));
  } else if (explanation.how === "choice") {
    cure.append(element("h2", {}, "What it depends on"), element("p", {}, "No missing barrier and no ignored error was found: ",
      "the program does not bear ", ...(explanation.event ? ["this: ", element("strong", {}, decode(explanation.event.text))]
        : explanation.places.length > 0 ? ["what the world chose at ", element("code", {}, explanation.places[0].site ||
          explanation.places[0].operation)] : ["one choice of the world"]), ". Without it the run passes."));
  } else if (explanation.how === "restart") {
    cure.append(element("h2", {}, "What was not kept"), element("p", {}, "It fails even if the power cut at the end takes nothing, and ",
      "passes without it: what was known by then has not been written, or is not understood when it is read again; ",
      "or what is done behind a start is wrong by itself."));
  } else if (STOPS[run.raw.verdict]) {
    const isLaw = /\(law \d+\)/.test(run.raw.message);
    const where = (isLaw ? /submitted at ([\w.-]+\.[ch]:\d+)/ : /([\w.-]+\.[ch]:\d+): /).exec(sentence(run.raw.message));
    cure.append(element("h2", {}, "Where it stopped"), element("p", {}, ...(where ? ["At ", element("code", {}, where[1]), ": "]
      : []), isLaw ? "a law of the runtime was broken, which docs/laws.md has."
      : STOPS[run.raw.verdict], " No fault, cut or other choice was found without which it passes: step through it below."));
  } else {
    cure.append(element("h2", {}, "Not explained"), element("p", {},
      "No single barrier, error or choice was found that makes the run pass. Step through it below."));
  }
  cure.append(element("details", explanation.how === "choice" && !explanation.event ? {open: ""} : {},
    element("summary", {}, "As the explanation has it"), element("pre", {}, explanation.text)));
  return cure;
}

function tellStory(data, run, go) {
  const story = document.getElementById("story");
  story.textContent = "";
  if (!data.explanation) {
    const hurts = run.events.filter(e => e.type === "event" || e.type === "power" || e.type === "kill").length;
    story.append(element("p", {class: "calm"}, "Nothing went wrong that the program could not bear: " +
      run.raw.operations + " operations in " + timeText(run.raw.virtual_ns) + " of simulated time, " + hurts +
      " faults and crashes. Step through it below."));
    return;
  }
  const list = element("ol", {class: "steps"});
  for (const step of stepsOf(data, run)) {
    const words = [element("span", {class: "words"}, step.words)];
    if (step.more)
      words.push(element("span", {class: "quiet"}, step.more));
    list.append(element("li", {class: step.tone}, step.event
      ? element("button", {type: "button", onclick: () => go(step.event.index)}, ...words)
      : element("div", {}, ...words)));
  }
  story.append(list, cureOf(data, run));
}
