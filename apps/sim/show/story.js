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

/* Where they are, all that are there. What a choice befalls may not have taken effect: no event is known of it. */
function pointedAt(explanation, run) {
  const places = explanation.how === "choice" ? [] : explanation.places;
  return [...places, explanation.then].map(place => place && eventOf(run, place)).filter(event => event)
    .map(event => event.index);
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

/* Steps of the story: {words, more, event, tone}. */
function stepsOf(data, run) {
  const explanation = data.explanation, steps = [];
  const verdict = run.failure >= 0 ? run.events[run.failure] : null;
  const before = verdict ? verdict.index : run.events.length - 1;
  const who = number => run.order.length > 1 ? run.node(number).label : "the program";
  const add = (words, more, event, tone) => steps.push({words, more, event, tone});

  for (const place of explanation.how === "choice" ? [] : explanation.places) {
    const event = eventOf(run, place);
    if (explanation.how === "early")
      add(capital(who(place.node)) + " told others: " + place.operation, "before it was sure of it", event, "mark");
    else if (explanation.how === "barrier" || explanation.how === "torn" || explanation.how === "wait")
      add(capital(who(place.node)) + " did this: " + place.operation, place.names ? "the name was in memory, not yet on the disk"
        : "the bytes were in memory, not yet on the disk", event, "mark");
    else
      add(capital(who(place.node)) + " got an error: " + place.operation + (event ? " = " + event.result : ""),
        explanation.how === "unheard" ? "the bytes were not on the disk, and it went on" :
        "if this had not failed, the run would have passed", event, "mark");
  }
  if (explanation.then) {
    const [words, more] = thenOf(explanation), event = eventOf(run, explanation.then);
    add(words + ": " + explanation.then.operation + (event && event.bad ? " = " + event.result : ""), more, event, "mark");
  }
  const promise = lastBefore(run, before, e => e.type === "promise");
  if (promise && explanation.places.some(place => place.promise))
    add("It told its user: \u201c" + promise.words.replace(/^Promised: /, "") + "\u201d", "a promise to be kept", promise,
      "promise");
  const cut = lastBefore(run, before, e => e.type === "power" || e.type === "kill");
  if (cut)
    add(cut.type === "power" ? "The power was cut" : "The process was killed",
      explanation.unkept ? "not durable by then: " + explanation.unkept : "on " + run.node(cut.node).label, cut,
      "power");
  if (verdict)
    add(capital(verdict.words), "", verdict, "verdict");
  return steps.sort((a, b) => (a.event ? a.event.index : -1) - (b.event ? b.event.index : -1));
}

function cureOf(data) {
  const explanation = data.explanation;
  const cure = element("div", {class: "cure"});
  if (explanation.how === "barrier") {
    cure.append(element("h2", {}, explanation.places.length > 1 ? "What is missing" : "The line that would have saved it"));
    for (const place of explanation.places)
      cure.append(element("p", {}, "After ", element("code", {}, place.site || place.operation), ": ",
        element("strong", {}, place.names ? "sync the directory" : "sync the file"), " ",
        element("code", {}, place.names ? "tp_sync_dir()" : "tp_fsync()"),
        place.promise ? ", before it is promised." : explanation.then && explanation.places.length === 1
          ? element("span", {}, ", before ", element("code", {}, explanation.then.operation), ".") : "."));
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
    cure.append(element("h2", {}, "What it depends on"));
    for (const place of explanation.places)
      cure.append(element("p", {}, "Without one choice of the world, at ", element("code", {}, place.operation),
        ", the run passes. Which one is below."));
  } else {
    cure.append(element("h2", {}, "Not explained"), element("p", {},
      "No single barrier, error or choice was found that makes the run pass. Step through it below."));
  }
  cure.append(element("details", explanation.how === "choice" ? {open: ""} : {},
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
  story.append(list, cureOf(data));
}
