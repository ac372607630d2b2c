/** The element's icons: strokes on a grid of 24. */

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  "arrow-down": ["M12 5v14", "M6 13l6 6 6-6"],
  "arrow-up": ["M12 19V5", "M6 11l6-6 6 6"],
  back: ["M15 6l-6 6 6 6"],
  chat: ["M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-5 4v-4.3A2.5 2.5 0 0 1 4 13.5z"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  compose: ["M12 5H7a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-5", "M10 14v-2.5L18 3.5l2.5 2.5-8 8z"],
  dots: ["M6 12h.01", "M12 12h.01", "M18 12h.01"],
  history: ["M4.5 9A8 8 0 1 1 4 12.5", "M4 4.5V9h4.5", "M12 8v4.5l3 1.5"],
  home: ["M4 11l8-7 8 7", "M6 9.5V20h12V9.5"],
  info: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z", "M12 11v5", "M12 8h.01"],
  menu: ["M4 7h16", "M4 12h16", "M4 17h16"],
  retry: ["M19.5 9A8 8 0 1 0 20 12.5", "M20 4.5V9h-4.5"],
  warning: ["M12 4l9 16H3z", "M12 10v4", "M12 17h.01"],
};

/** Names of the client's that mean one of ours. */
const OTHER_NAMES = {
  "dots-horizontal": "dots",
  "home-alt": "home",
  hamburger: "menu",
  write: "compose",
  reload: "retry",
  "back-small": "back",
  "back-large": "back",
};

/**
 * @param {string} name one of ours, or the client's name for one of them
 * @returns {SVGElement} the icon, or that of a speech bubble for a name without one
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  svg.dataset.icon = name;
  for (const data of PATHS[OTHER_NAMES[name] ?? name] ?? PATHS.chat) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", data);
    svg.append(path);
  }
  return svg;
}
