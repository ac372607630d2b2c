/** The element's style sheet, constructed, so that it needs no `style-src` beyond the site's own. */

/** In the order in which they outdo each other. */
const ORDER = /** @type {const} */ ([
  "frame",
  "buttons",
  "remoteImage",
  "menu",
  "dialog",
  "header",
  "thread",
  "notices",
  "item",
  "userMessage",
  "messageExtras",
  "images",
  "sources",
  "workflow",
  "structuredInput",
  "turnActions",
  "messageEditor",
  "markdown",
  "code",
  "math",
  "fade",
  "box",
  "roots",
  "content",
  "fields",
  "calendar",
  "chart",
  "start",
  "composer",
  "editor",
  "choices",
  "attachments",
  "dictation",
  "titleEditor",
  "history",
]);

/** @typedef {(typeof ORDER)[number]} StyleName */

/** @type {Partial<Record<StyleName, string>>} */
const styles = {};
/** @type {CSSStyleSheet|null} */
let sheet = null;

/**
 * Style what a module shows. Modules that are loaded later bring their styles with them.
 *
 * @param {Partial<Record<StyleName, string>>} added
 */
export function addStyles(added) {
  Object.assign(styles, added);
  sheet?.replaceSync(text());
}

/** @returns {CSSStyleSheet} one sheet for all elements of the page */
export function styleSheet() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text());
  }
  return sheet;
}

function text() {
  return ORDER.map((name) => styles[name] ?? "").join("");
}
