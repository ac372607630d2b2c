/** The element's icons: strokes on a grid of 24, by the client's names, and a few of our own. */
import { asText } from "./values.js";

/** @type {(x: number, y: number, r: number) => string} */
export const circle = (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0 ${r} ${r} 0 1 0 ${-2 * r} 0z`;

/** @type {(x: number, y: number) => string} */
export const dot = (x, y) => `M${x - 0.5} ${y}l.5-.5.5.5-.5.5z`;

/** @type {(x: number, y: number, w: number, h: number, r: number) => string} a box with round corners */
export const box = (x, y, w, h, r) =>
  `M${x + r} ${y}h${w - 2 * r}q${r} 0 ${r} ${r}v${h - 2 * r}q0 ${r} ${-r} ${r}` +
  `h${2 * r - w}q${-r} 0 ${-r} ${-r}v${2 * r - h}q0 ${-r} ${r} ${-r}z`;

export const RING = circle(12, 12, 8.5);
export const PAGE = "M14 3H8q-2.5 0-2.5 2.5v13Q5.5 21 8 21h8q2.5 0 2.5-2.5v-11zv4.5h4.5";
const THUMB =
  "M7.5 10.5H5Q3.5 10.5 3.5 12v7q0 1.5 1.5 1.5h2.5zL11 3.5q3 0 3 3V10h4.5q2.5 0 2 2.5l-1 5.5q-.5 2.5-3 2.5h-9";

/**
 * One that begins with "#" is filled, one with "~" dashed. What is drawn to the left or upwards is not drawn a
 * second time for the right or downwards. Those that few chats show are in icon-drawings.js.
 *
 * @type {Record<string, string>}
 */
const DRAWINGS = {
  "arrow-up": "M12 19V5M6 11l6-6 6 6",
  at: circle(12, 12, 4) + "M16 8v5.5a2.5 2.5 0 0 0 5 0V12a9 9 0 1 0-3.5 7",
  "back-large": "M20 12H4M11 5l-7 7 7 7",
  chat: "M7 4h10q3 0 3 3v6q0 3-3 3h-5.5l-5 4v-4Q4 16 4 13V7q0-3 3-3z",
  check: "M5 12.5l4.5 4.5L19 7",
  "chevron-left": "M15 6l-6 6 6 6",
  "chevron-up": "M6 15l6-6 6 6",
  close: "M6 6l12 12M18 6 6 18",
  compose: "M12 5H7.5Q5 5 5 7.5v9Q5 19 7.5 19h9q2.5 0 2.5-2.5V12M10 14v-2.5l8-8L20.5 6l-8 8z",
  copy: box(8, 8, 12.5, 12.5, 3) + "M16 4.5q-.5-1-2-1H6.5q-3 0-3 3V14q0 1.5 1 2",
  document: PAGE + "M9 12.5h6M9 16.5h4",
  dot: "#" + circle(12, 12, 2),
  globe: RING + "M3.5 12h17M12 3.5c5 5 5 12 0 17-5-5-5-12 0-17z",
  history: "M4.5 8.5a8.5 8.5 0 1 1-1 3.5M4 4v4.5h4.5M12 8v4l3 2",
  microphone: box(9, 3, 6, 11, 3) + "M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  paperclip: "M17.5 8v8a5.5 5.5 0 0 1-11 0V7a3.5 3.5 0 0 1 7 0v8.5a1.5 1.5 0 0 1-3 0V8.5",
  plus: "M12 5v14M5 12h14",
  quote: "M5 7h5v6l-2 4H6l1-4H5zM14 7h5v6l-2 4h-2l1-4h-2z",
  reload: "M19.5 8.5a8.5 8.5 0 1 0 1 3.5M20 4v4.5h-4.5",
  spinner: "M12 3.5a8.5 8.5 0 1 1-8.5 8.5",
  "thumbs-up": THUMB,
  "thumbs-up-filled": "#" + THUMB,
  warning: "M12 4l9 16H3zM12 10v4.5" + dot(12, 17.2),
};

/** Other names for them. @type {Record<string, string>} */
const ALIASES = {};

/** Those that point where reading goes, or against it. */
const DIRECTIONAL = /^(lucide:)?(back|(arrow|chevron|collapse|panel)-[lr]|chevrons|double|menu|open|sidebar)/;

/** Those whose drawing is still to come, and their names. @type {[WeakRef<SVGSVGElement>, string][]} */
let waiting = [];
let knowsAll = false;
let loadMore = () => Promise.resolve(/** @type {unknown} */ (null));

/** @param {() => Promise<unknown>} load what has `learnIcons` called with all other drawings */
export function setIconLoader(load) {
  loadMore = load;
}

/**
 * @param {Record<string, string>} drawings
 * @param {Record<string, string>} aliases
 */
export function learnIcons(drawings, aliases) {
  Object.assign(DRAWINGS, drawings);
  Object.assign(ALIASES, aliases);
  knowsAll = true;
  for (const [held, name] of waiting) {
    const node = held.deref();
    if (node) draw(node, name);
  }
  waiting = [];
}

/** @type {(table: Record<string, string>, name: string) => string | undefined} */
const find = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

/** @param {unknown} name @returns {[path: string, transform: string] | undefined} */
function drawing(name) {
  const own = asText(name).replace("lucide:", "");
  for (const [candidate, transform] of [
    [own, ""],
    [own.replace("-right", "-left"), "matrix(-1 0 0 1 24 0)"],
    [own.replace("-down", "-up"), "matrix(1 0 0 -1 0 24)"],
  ]) {
    const data = find(DRAWINGS, find(ALIASES, candidate) ?? candidate);
    if (data) return [data, transform];
  }
}

/** @param {unknown} name */
export const hasIcon = (name) => drawing(name) !== undefined;

/**
 * @param {unknown} name
 * @returns {SVGSVGElement} the icon; a dot for a name that has none
 */
export function icon(name) {
  const className = DIRECTIONAL.test(asText(name)) ? "icon directional" : "icon";
  const node = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: className }, svg("path", {}));
  if (!drawing(name) && !knowsAll) {
    waiting.push([new WeakRef(node), asText(name)]);
    // What it stands beside says the same.
    loadMore().catch(() => {});
  } else draw(node, name);
  return node;
}

/** @param {SVGSVGElement} node @param {unknown} name */
function draw(node, name) {
  const own = drawing(name);
  const [data, transform] = own ?? [DRAWINGS.dot, ""];
  node.setAttribute("data-icon", own ? asText(name) : "dot");
  setAttributes(/** @type {Element} */ (node.firstChild), {
    d: data.replace(/^[#~]/, ""),
    fill: data.startsWith("#") && "currentColor",
    "stroke-dasharray": data.startsWith("~") && "2.5 3",
    transform: transform || false,
  });
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string|number|false|undefined>} attributes false and undefined leave one out
 * @param {...(Node|string)} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(node, attributes);
  node.append(...children);
  return node;
}

/** @param {Element} node @param {Record<string, string|number|false|undefined>} attributes */
function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) node.setAttribute(name, String(value));
  }
}
