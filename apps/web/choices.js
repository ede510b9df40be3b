/* choices.js - which run it is: program, seed, disk and trouble, and in words what is on the page. */

import {$, el, setText} from "./dom.js";
import {linkOf} from "./link.js";

const GROUPS = {zoo: "Bugs that somebody shipped, and their repaired twins", own: "Small programs", kv: "The key-value server",
  log: "The log", copy: "The copy program"};

function titleOf(scenario) {
  if (scenario.group === "zoo" && scenario.zoo > 0)
    return `${scenario.zoo}${scenario.is_twin ? ", repaired" : ""}: ${scenario.summary}`;
  return `${scenario.name}: ${scenario.summary}`;
}

export function fillChoices(list) {
  for (const [group, words] of Object.entries(GROUPS)) {
    const some = list.scenarios.filter(each => each.group === group);
    if (some.length > 0)
      $("scenario").append(el("optgroup", {label: words}, ...some.map(each => el("option", {value: each.name}, titleOf(each)))));
  }
  $("profile").append(el("option", {value: ""}), ...list.profiles.map(each =>
    el("option", {value: each.name, title: each.summary}, each.name)));
}

/* "-all,+kill,+power": some kinds and no other. */
function troubleText(faults) {
  return /^-all(,\+[a-z]+)+$/.test(faults) ? `only ${faults.slice("-all,+".length).replaceAll(",+", ", ")}` : faults;
}

/* `tape`: null, or {name} of what runs instead of the seed. */
export function showChoices(list, setting, tape) {
  const scenario = list.scenarios.find(each => each.name === setting.scenario);
  $("scenario").value = setting.scenario;
  $("seed").value = tape ? "" : setting.seed;
  $("seed").placeholder = tape ? "a tape" : "";
  $("profile").value = setting.profile;
  setText($("profile").options[0], `usual (${scenario.profile})`);
  $("one").replaceChildren(...scenario.families.map(name => el("option", {value: `-all,+${name}`}, troubleText(`-all,+${name}`))));
  if (![...$("faults").options].some(option => option.value === setting.faults))
    $("faults").append(el("option", {value: setting.faults}, troubleText(setting.faults)));
  $("faults").value = setting.faults;
  $("lead").replaceChildren(...leadOf(list, setting, scenario, tape));
}

/* What is on the page, and what to do with it. */
function leadOf(list, setting, scenario, tape) {
  const where = scenario.nodes > 1 ? "simulated computers" : "a simulated computer";
  const what = scenario.is_twin ? "The repaired twin of a real bug" : scenario.group === "zoo" ? `A real bug on ${where}`
    : `A program on ${where}`;
  const todo = scenario.is_twin ? "Cut its power whenever you like: it bears it." : scenario.nodes > 1
    ? "Click a circle to cut its power, a line to part two nodes."
    : scenario.group === "zoo" ? "Cut its power just after a promise."
      : "Cut its power, fail its disk, go back, try something else.";
  const lead = [el("b", {}, `${tape ? `${what}, as ${tape.name} has it` : what}: `), scenario.summary + ". ", todo + " "];
  if (scenario.twin && list.scenarios.some(each => each.name === scenario.twin))
    lead.push(el("a", {href: linkOf({...setting, scenario: scenario.twin}, [], 0, list.acts)},
      scenario.is_twin ? "With the bug" : "Its repaired twin"));
  return lead;
}
