/** The element's style sheets, constructed, so that they need no `style-src` beyond the site's own. */
import { BASE_STYLES } from "./base.js";
import { CHART_STYLES } from "./chart.js";
import { COMPOSER_STYLES } from "./composer.js";
import { HEADER_STYLES } from "./header.js";
import { HISTORY_STYLES } from "./history.js";
import { ITEM_STYLES } from "./items.js";
import { MARKDOWN_STYLES } from "./markdown.js";
import { START_STYLES } from "./start.js";
import { THREAD_STYLES } from "./thread.js";
import { UI_STYLES } from "./ui.js";
import { WIDGET_STYLES } from "./widgets.js";

/** @type {CSSStyleSheet|null} */
let sheet = null;

/** @returns {CSSStyleSheet} one sheet for all elements of the page */
export function styleSheet() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(
      [
        BASE_STYLES,
        UI_STYLES,
        HEADER_STYLES,
        THREAD_STYLES,
        ITEM_STYLES,
        MARKDOWN_STYLES,
        WIDGET_STYLES,
        CHART_STYLES,
        START_STYLES,
        COMPOSER_STYLES,
        HISTORY_STYLES,
      ].join(""),
    );
  }
  return sheet;
}
