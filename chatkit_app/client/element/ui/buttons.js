/** Buttons that are icons. */
import { h, setAttribute } from "../dom.js";
import { icon } from "../icons.js";
import { addStyles } from "../style-sheet.js";
import { buttonStyles } from "./buttons.css.js";

addStyles({ buttons: buttonStyles });

/**
 * A button that is an icon; `nameButton` gives it the name it needs.
 *
 * @param {string} name the icon's
 * @param {(event: MouseEvent) => void} onclick
 * @param {Record<string, any>} [properties] more of `h()`'s
 */
export function iconButton(name, onclick, properties = {}) {
  return h("button", { type: "button", class: "icon-button", onclick, ...properties }, icon(name));
}

/**
 * What a button is called, for those who point at it and for those who hear it.
 *
 * @param {HTMLElement} button
 * @param {string} name
 */
export function nameButton(button, name) {
  setAttribute(button, "aria-label", name);
  setAttribute(button, "title", name);
}
