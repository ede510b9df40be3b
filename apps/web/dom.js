/* dom.js - elements, without ceremony. */

export const $ = id => document.getElementById(id);

/* el("b", {class: "x", onclick: f}, "text", child, null) */
export function el(tag, fields, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(fields || {})) {
    if (name.startsWith("on"))
      made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

export function svg(tag, fields, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(fields || {}))
    made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/* Writes only what differs: what has not changed is not drawn again. */
export function setText(element, text) {
  if (element.textContent !== text)
    element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null || value === false)
    element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value))
    element.setAttribute(name, value);
}

/* Nanoseconds, for people. */
export function timeText(ns) {
  const at = Math.abs(ns);
  if (at === 0)
    return "0";
  if (at < 1e3)
    return ns.toFixed(0) + " ns";
  if (at < 1e6)
    return (ns / 1e3).toFixed(1) + " \u00b5s";
  if (at < 1e9)
    return (ns / 1e6).toFixed(at < 1e8 ? 2 : 0) + " ms";
  if (at < 120e9)
    return (ns / 1e9).toFixed(at < 1e10 ? 3 : 1) + " s";
  return at < 7200e9 ? (ns / 60e9).toFixed(1) + " min" : (ns / 3600e9).toFixed(1) + " h";
}

export function countText(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

export const capital = words => words.charAt(0).toUpperCase() + words.slice(1);
