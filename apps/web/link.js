/* link.js - a run as an address: #scenario=kv&seed=42, and what differs from the usual behind it. */

const CLICK = /^(\d+)\.([a-z]+)\.(\d+)(?:-(\d+))?(?:\.(\d+))?$/;
const SEED_MAX = 2n ** 64n;
const NODE_MAX = 2 ** 32 - 1;
const NAMES = ["scenario", "seed", "profile", "faults", "clicks", "at"];
const NAME_CHARACTERS = 20; /* of one that is not known */

export const LINK_CHARACTERS = 1900; /* more than that does not survive every messenger */

/* "120.power.0,300.part.0-1.2000000": event, what, which node or nodes, for how many nanoseconds. */
export function clicksText(clicks, acts) {
  return clicks.map(click => {
    const act = acts.find(each => each.kind === click.kind);
    const two = act.links ? "-" + click.other : "";
    return `${click.event}.${act.name}.${click.node}${two}${click.span_ns ? "." + click.span_ns : ""}`;
  }).join(",");
}

export function readClicks(text, acts) {
  const clicks = [];
  for (const word of text.split(",").filter(Boolean)) {
    const found = CLICK.exec(word);
    const act = found && acts.find(each => each.name === found[2]);
    if (!act)
      return null;
    clicks.push({event: Number(found[1]), kind: act.kind, node: Number(found[3]), other: Number(found[4] || 0),
      span_ns: Number(found[5] || 0)});
  }
  return clicks.every(click => Object.values(click).every(Number.isSafeInteger) && Math.max(click.node, click.other) <= NODE_MAX)
    ? clicks : null;
}

export function readSeed(text) {
  const clean = String(text).replace(/[\s,_]/g, "");
  if (!/^\d{1,20}$/.test(clean))
    return null;
  return BigInt(clean) < SEED_MAX ? BigInt(clean).toString() : null;
}

/* What an address asks for; what it has not, or has wrongly, is as in `usual`, and is named in `wrong`. */
export function readLink(hash, list, usual) {
  /* A plus is one, and no space: "faults=-all,+power". */
  const given = new URLSearchParams(hash.replace(/^#/, "").replaceAll("+", "%2B"));
  const wrong = [...new Set(given.keys())].filter(name => !NAMES.includes(name)).map(name =>
    name.length > NAME_CHARACTERS ? name.slice(0, NAME_CHARACTERS) + "\u2026" : name);
  const take = (name, read) => {
    if (!given.has(name))
      return usual[name];
    const value = read(given.get(name));
    if (value === null || value === undefined)
      wrong.push(name);
    return value ?? usual[name];
  };
  const setting = {
    scenario: take("scenario", name => list.scenarios.find(each => each.name === name)?.name),
    seed: take("seed", readSeed),
    profile: take("profile", name => list.profiles.find(each => each.name === name)?.name),
    faults: take("faults", text => /^[-+a-z,]{0,200}$/.test(text) ? text : null),
  };
  return {setting, wrong, clicks: take("clicks", text => readClicks(text, list.acts)) || [],
    at: take("at", text => /^\d{1,15}$/.test(text) ? Number(text) : null) || 0};
}

export function linkOf(setting, clicks, at, acts) {
  const parts = ["scenario=" + setting.scenario, "seed=" + setting.seed];
  if (setting.profile)
    parts.push("profile=" + setting.profile);
  if (setting.faults)
    parts.push("faults=" + setting.faults);
  if (clicks.length > 0)
    parts.push("clicks=" + clicksText(clicks, acts));
  if (at > 0)
    parts.push("at=" + at);
  return "#" + parts.join("&");
}
