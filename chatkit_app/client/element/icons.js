/** The element's icons: strokes on a grid of 24, by the client's names, and a few of our own. */

import { asText } from "./values.js";

/** @type {(x: number, y: number, r: number) => string} */
const circle = (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0 ${r} ${r} 0 1 0 ${-2 * r} 0z`;

/** @type {(x: number, y: number) => string} */
const dot = (x, y) => `M${x - 0.5} ${y}l.5-.5.5.5-.5.5z`;

/** @type {(x: number, y: number, w: number, h: number, r: number) => string} a box with round corners */
const box = (x, y, w, h, r) =>
  `M${x + r} ${y}h${w - 2 * r}q${r} 0 ${r} ${r}v${h - 2 * r}q0 ${r} ${-r} ${r}` +
  `h${2 * r - w}q${-r} 0 ${-r} ${-r}v${2 * r - h}q0 ${-r} ${r} ${-r}z`;

const RING = circle(12, 12, 8.5);
const SQUARE = box(3.5, 3.5, 17, 17, 3);
const RAYS = "M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.5 5.5 7 7M17 17l1.5 1.5M18.5 5.5 17 7M7 17l-1.5 1.5";
const PAGE = "M14 3H8q-2.5 0-2.5 2.5v13Q5.5 21 8 21h8q2.5 0 2.5-2.5v-11zv4.5h4.5";
const SIDEBAR = box(3, 4.5, 18, 15, 3) + "M9 4.5v15";
const FLOATING = box(3, 4.5, 18, 15, 3) + box(6, 7.5, 4, 9, 1);
const STAR = "M12 3l2.5 6 6.5.5-5 4 1.5 6.5-5.5-3.5L6.5 20 8 13.5l-5-4L9.5 9z";
const THUMB =
  "M7.5 10.5H5Q3.5 10.5 3.5 12v7q0 1.5 1.5 1.5h2.5zL11 3.5q3 0 3 3V10h4.5q2.5 0 2 2.5l-1 5.5q-.5 2.5-3 2.5h-9";
const TO_RIGHT = "M14 9.5l2.5 2.5-2.5 2.5";
const TO_LEFT = "M16 9.5 13.5 12l2.5 2.5";

/**
 * One that begins with "#" is filled, one with "~" dashed. What is drawn to the left or upwards is not drawn a
 * second time for the right or downwards.
 *
 * @type {Record<string, string>}
 */
const DRAWINGS = {
  agent: box(4, 8, 16, 11.5, 3) + "M12 8V4.5M1.5 12.5v3M22.5 12.5v3" + dot(12, 4) + dot(9, 13.5) + dot(15, 13.5),
  analytics: "M4 4v13q0 3 3 3h13M8 14.5l3.5-4.5 3.5 3 5-6.5",
  "arrow-up": "M12 19V5M6 11l6-6 6 6",
  at: circle(12, 12, 4) + "M16 8v5.5a2.5 2.5 0 0 0 5 0V12a9 9 0 1 0-3.5 7",
  atom: "M5.5 5.5a9.2 4 45 0 0 13 13 9.2 4 45 0 0-13-13zM18.5 5.5a9.2 4-45 0 0-13 13 9.2 4-45 0 0 13-13z" + dot(12, 12),
  "back-large": "M20 12H4M11 5l-7 7 7 7",
  "back-small": "M17.5 12h-11M11 7.5 6.5 12l4.5 4.5",
  batch: "M12 3.5 21 8l-9 4.5L3 8zM3 12l9 4.5 9-4.5M3 16l9 4.5 9-4.5",
  bolt: "M13 3 5 14h6l-1 7 9-11.5h-6.5z",
  "book-clock":
    "M18.5 8.5V3h-11Q5 3 5 5.5v13Q5 21 7.5 21H9M5 18.5Q5 16 7.5 16h1M16.5 14v2.5l1.5 1.5" + circle(16.5, 16.5, 5),
  "book-closed": "M19 16V3H7.5Q5 3 5 5.5v13Q5 21 7.5 21H19v-5H7.5Q5 16 5 18.5",
  "book-open": "M12 6.5C10 5 7 4.5 3 4.5V18c4 0 7 .5 9 2 2-1.5 5-2 9-2V4.5c-4 0-7 .5-9 2zV20",
  bug:
    box(7.5, 8, 9, 12.5, 4.5) +
    "M8.5 9q0-3.5 3.5-3.5t3.5 3.5M12 12.5v8M7.5 14h-4M20.5 14h-4" +
    "M8 10.5 4.5 8M16 10.5 19.5 8M8 17.5 4.5 20M16 17.5l3.5 2.5",
  calendar: box(4, 5, 16, 15.5, 3) + "M4 10h16M8.5 3v4M15.5 3v4",
  chart: "M4 20.5h16M6.5 16.5v-4M12 16.5v-12M17.5 16.5v-8",
  chat: "M7 4h10q3 0 3 3v6q0 3-3 3h-5.5l-5 4v-4Q4 16 4 13V7q0-3 3-3z",
  "chat-temporary": "~M12 4a8 8 0 1 1-3.5 15.2L4 20.5l1.2-4.3A8 8 0 0 1 12 4z",
  check: "M5 12.5l4.5 4.5L19 7",
  "check-circle": RING + "M8 12.5l2.5 2.5L16 9.5",
  "check-circle-filled": "#" + RING + "M8 9.5l3 3L16.5 7 19 9.5l-8 8L5.5 12z",
  "chevron-left": "M15 6l-6 6 6 6",
  "chevron-up": "M6 15l6-6 6 6",
  "circle-question": RING + "M9.5 9.5a2.5 2.5 0 1 1 4 2q-1.5 1-1.5 2" + dot(12, 16.5),
  clock: RING + "M12 7.5V12l3 2",
  close: "M6 6l12 12M18 6 6 18",
  "collapse-large": "M20 10h-6V4M14 10l6.5-6.5M4 14h6v6M10 14l-6.5 6.5",
  "collapse-left": "M4 5v14M20 12H8M13 7l-5 5 5 5",
  "collapse-small": "M18 10.5h-4.5V6M13.5 10.5 18 6M6 13.5h4.5V18M10.5 13.5 6 18",
  compass: RING + "M15.5 8.5l-2 5-5 2 2-5z",
  compose: "M12 5H7.5Q5 5 5 7.5v9Q5 19 7.5 19h9q2.5 0 2.5-2.5V12M10 14v-2.5l8-8L20.5 6l-8 8z",
  confetti:
    "M8 9.5 3.5 20.5 14.5 16c1-1-.5-3-2-4.5S9 8.5 8 9.5zM13 8c2-.5 3-2 2.5-4.5M16 11c.5-2 2-3 4.5-2.5" +
    dot(9, 4) +
    dot(20, 4) +
    dot(20, 15),
  copy: box(8, 8, 12.5, 12.5, 3) + "M16 4.5q-.5-1-2-1H6.5q-3 0-3 3V14q0 1.5 1 2",
  cube: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  danger: "M8.5 3.5h7l5 5v7l-5 5h-7l-5-5v-7zM12 8v4.5" + dot(12, 16),
  "dark-mode": "M20 14.5A8.5 8.5 0 1 1 9.5 4 7 7 0 0 0 20 14.5z",
  desktop: box(3, 4, 18, 12.5, 2.5) + "M12 16.5V20M8 20h8",
  document: PAGE + "M9 12.5h6M9 16.5h4",
  dot: "#" + circle(12, 12, 2),
  "dots-horizontal": dot(5.5, 12) + dot(12, 12) + dot(18.5, 12),
  "dots-horizontal-circle": circle(12, 12, 9) + dot(8, 12) + dot(12, 12) + dot(16, 12),
  "dots-vertical": dot(12, 5.5) + dot(12, 12) + dot(12, 18.5),
  "dots-vertical-circle": circle(12, 12, 9) + dot(12, 8) + dot(12, 12) + dot(12, 16),
  "double-chevron-left": "M12 6l-6 6 6 6M18 6l-6 6 6 6",
  download: "M12 4v11.5M7 10.5l5 5 5-5M4.5 20h15",
  "empty-circle": RING,
  "expand-large": "M14 4h6v6M20 4l-6.5 6.5M10 20H4v-6M4 20l6.5-6.5",
  "expand-small": "M13.5 6H18v4.5M18 6l-4.5 4.5M10.5 18H6v-4.5M6 18l4.5-4.5",
  "external-link": "M14 4h6v6M20 4l-9 9M19 14v2.5q0 3-3 3H7.5q-3 0-3-3V8q0-3 3-3H10",
  globe: RING + "M3.5 12h17M12 3.5c5 5 5 12 0 17-5-5-5-12 0-17z",
  grid: box(4, 4, 6, 6, 1.5) + box(14, 4, 6, 6, 1.5) + box(4, 14, 6, 6, 1.5) + box(14, 14, 6, 6, 1.5),
  hamburger: "M4 7h16M4 12h16M4 17h16",
  history: "M4.5 8.5a8.5 8.5 0 1 1-1 3.5M4 4v4.5h4.5M12 8v4l3 2",
  home: "M3.5 11.5 12 4l8.5 7.5M6 9.5V20h12V9.5",
  "home-alt": "M4 10.5 12 4l8 6.5V18q0 2-2 2H6q-2 0-2-2zM9.5 20v-6h5v6",
  images: box(7, 3, 14, 13.5, 3) + "M17 21H7q-4 0-4-4V8M7.5 14.5 12 10l2 2 2.5-2 4.5 4" + dot(16.5, 7),
  info: RING + "M12 11.5v5" + dot(12, 8),
  keys: circle(8, 16, 4.5) + "M11.5 12.5 20.5 3.5M16 8l3.5 3.5",
  lab: "M9 3h6M10 3v6.5L4.5 18Q3 21 6 21h12q3 0 1.5-3L14 9.5V3M7.5 14.5h9",
  lifesaver: RING + circle(12, 12, 3.5) + "M6 6l3.5 3.5M14.5 14.5 18 18M18 6l-3.5 3.5M9.5 14.5 6 18",
  "light-mode": circle(12, 12, 4) + RAYS,
  lightbulb: "M9.5 17.5c0-2.5-4-3.5-4-8a6.5 6.5 0 0 1 13 0c0 4.5-4 5.5-4 8zM10 21h4",
  mail: box(3, 5, 18, 14, 3) + "M4 7.5l8 6 8-6",
  "map-pin": "M12 21c-5-5-7-8-7-11a7 7 0 0 1 14 0c0 3-2 6-7 11z" + circle(12, 10, 2.5),
  maps: "M9 4 3.5 6.5V20L9 17.5l6 2.5 5.5-2.5V4L15 6.5zv13.5M15 6.5V20",
  menu: "M4 8.5h16M4 15.5h10",
  "menu-inverted": "M4 8.5h10M4 15.5h16",
  microphone: box(9, 3, 6, 11, 3) + "M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  mobile: box(6.5, 2.5, 11, 19, 2.5) + "M11 18h2",
  name: "M3 18 7.5 6 12 18M4.5 14h6M15 4.5q2.5 0 2.5 2v11q0 2-2.5 2M20 4.5q-2.5 0-2.5 2M20 19.5q-2.5 0-2.5-2",
  notebook: box(6, 3, 14, 18, 2.5) + "M4 7.5h4M4 12h4M4 16.5h4M12 8h4",
  "notebook-pencil":
    "M20 9V5.5Q20 3 17.5 3h-9Q6 3 6 5.5v13Q6 21 8.5 21H10M4 7.5h4M4 12h4M4 16.5h4M13 21v-2.5l6-6 2.5 2.5-6 6z",
  "open-left": "M4 5v14M8 12h12M15 7l5 5-5 5",
  "page-blank": PAGE,
  paperclip: "M17.5 8v8a5.5 5.5 0 0 1-11 0V7a3.5 3.5 0 0 1 7 0v8.5a1.5 1.5 0 0 1-3 0V8.5",
  phone: "M7 3.5l-3 3C4 14 10 20 17.5 20l3-3-4.5-3.5-2.5 2q-3.5-1.5-5-5l2-2.5z",
  play: "M7 4.5v15l12.5-7.5z",
  plus: "M12 5v14M5 12h14",
  profile: RING + circle(12, 10, 2.5) + "M6.5 18.5a6 6 0 0 1 11 0",
  "profile-card": box(3, 5, 18, 14, 3) + circle(8.5, 10.5, 1.5) + "M5.5 15.5q3-3 6 0M14.5 10.5H18M14.5 14H18",
  quote: "M10 7q-5.5 1.5-5.5 7v3H10v-5H5M20 7q-5.5 1.5-5.5 7v3H20v-5h-5",
  reload: "M19.5 8.5a8.5 8.5 0 1 0 1 3.5M20 4v4.5h-4.5",
  search: circle(10.5, 10.5, 6.5) + "M15.5 15.5l5 5",
  "settings-cog": circle(12, 12, 7) + circle(12, 12, 2.5) + RAYS,
  "settings-slider": "M4 8h8.5M17.5 8H20M4 16h2.5M11.5 16H20" + circle(15, 8, 2.5) + circle(9, 16, 2.5),
  share: "M12 15V3.5M7.5 8 12 3.5 16.5 8M5 12v5.5q0 3 3 3h8q3 0 3-3V12",
  "sidebar-collapse-left": SIDEBAR + TO_LEFT,
  "sidebar-floating-left": FLOATING,
  "sidebar-floating-open-left": FLOATING + TO_RIGHT,
  "sidebar-left": SIDEBAR,
  "sidebar-open-left": SIDEBAR + TO_RIGHT,
  "sidebar-open-left-alt": SIDEBAR + "M12 12h6" + "M15.5 9.5 18 12l-2.5 2.5",
  slash: SQUARE + "M14 8l-4 8",
  sparkle: "M12 3q1 8 9 9-8 1-9 9-1-8-9-9 8-1 9-9z",
  "sparkle-double":
    "M10 5.5q1 6.5 7.5 7.5-6.5 1-7.5 7.5Q9 14 2.5 13 9 12 10 5.5zM18.5 2.5q.5 2.5 3 3-2.5.5-3 3-.5-2.5-3-3 2.5-.5 3-3z",
  spinner: "M12 3.5a8.5 8.5 0 1 1-8.5 8.5",
  "square-code": SQUARE + "M10 8.5 6.5 12l3.5 3.5M14 8.5l3.5 3.5-3.5 3.5",
  "square-image": SQUARE + "M4 17l5-5 3.5 3.5 3-2.5 4.5 4" + dot(15.5, 8.5),
  "square-text": SQUARE + "M8 8.5h8M8 12h8M8 15.5h4",
  star: STAR,
  "star-filled": "#" + STAR,
  stop: "#" + box(6.5, 6.5, 11, 11, 1.5),
  suitcase: box(3, 7.5, 18, 12.5, 2.5) + "M8.5 7.5V6q0-2 2-2h3q2 0 2 2v1.5M3 13h18",
  "thumbs-up": THUMB,
  "thumbs-up-filled": "#" + THUMB,
  trash: "M4 6.5h16M9 6.5V4h6v2.5M6 6.5l1 12q0 2 2 2h6q2 0 2-2l1-12M10 10.5v6M14 10.5v6",
  user: circle(12, 8, 4) + "M4.5 20.5a7.5 7.5 0 0 1 15 0",
  warning: "M12 4l9 16H3zM12 10v4.5" + dot(12, 17.2),
  wreath:
    "M10 20.5C4.5 18.5 3 11 6.5 4.5q2 2.5 0 4.5M5 10Q2 9 2 6M5 12.5q3 0 3-3M5.5 15Q2 15 1.5 12M7.5 18.5q-3 1-5-1" +
    "M14 20.5c5.5-2 7-9.5 3.5-16q-2 2.5 0 4.5M19 10q3-1 3-4M19 12.5q-3 0-3-3M18.5 15q3.5 0 4-3M16.5 18.5q3 1 5-1",
  write: "M4 20v-4L15.5 4.5a2.5 2.5 0 0 1 4 4L8 20zM13 7l4 4",
  "write-alt2": "M4.5 16.5v-3L14 4a2 2 0 0 1 3 3l-9.5 9.5zM12 6l3 3M4.5 20.5h15",
};

/** @type {Record<string, string>} Other names for them, mostly Lucide's. */
const ALIASES = {
  "arrow-left": "back-large",
  "at-sign": "at",
  back: "back-large",
  book: "book-closed",
  bot: "agent",
  box: "cube",
  briefcase: "suitcase",
  "chart-column": "chart",
  "chart-line": "analytics",
  "chevrons-left": "double-chevron-left",
  circle: "empty-circle",
  "circle-alert": "danger",
  "circle-check": "check-circle",
  "circle-help": "circle-question",
  code: "square-code",
  ellipsis: "dots-horizontal",
  "ellipsis-vertical": "dots-vertical",
  file: "page-blank",
  "file-text": "document",
  "flask-conical": "lab",
  house: "home-alt",
  "id-card": "profile-card",
  image: "square-image",
  key: "keys",
  layers: "batch",
  "layout-grid": "grid",
  "life-buoy": "lifesaver",
  "loader-circle": "spinner",
  map: "maps",
  "message-circle": "chat",
  "message-square": "chat",
  mic: "microphone",
  monitor: "desktop",
  moon: "dark-mode",
  package: "cube",
  "panel-left": "sidebar-left",
  "party-popper": "confetti",
  pen: "write",
  pencil: "write",
  "refresh-cw": "reload",
  retry: "reload",
  settings: "settings-cog",
  "sliders-horizontal": "settings-slider",
  smartphone: "mobile",
  sparkles: "sparkle-double",
  square: "stop",
  "square-pen": "compose",
  sun: "light-mode",
  "trash-2": "trash",
  "triangle-alert": "warning",
  type: "name",
  upload: "share",
  "write-alt": "compose",
  x: "close",
  zap: "bolt",
};

/** Those that point where reading goes, or against it. */
const DIRECTIONAL = /^(lucide:)?(back|(arrow|chevron|collapse|panel)-[lr]|chevrons|double|menu|open|sidebar)/;

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
  const own = drawing(name);
  const [data, transform] = own ?? [DRAWINGS.dot, ""];
  return svg(
    "svg",
    {
      viewBox: "0 0 24 24",
      "aria-hidden": "true",
      class: DIRECTIONAL.test(asText(name)) ? "icon directional" : "icon",
      "data-icon": own ? asText(name) : "dot",
    },
    svg("path", {
      d: data.replace(/^[#~]/, ""),
      fill: data.startsWith("#") && "currentColor",
      "stroke-dasharray": data.startsWith("~") && "2.5 3",
      transform: transform || false,
    }),
  );
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
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}
