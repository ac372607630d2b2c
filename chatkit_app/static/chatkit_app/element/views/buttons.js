import { h, setAttribute } from "../dom.js";
import { icon } from "../icons.js";

/** A button that is an icon; `nameButton` gives it the name it needs. */
export function iconButton(name, onclick) {
  return h("button", { type: "button", class: "icon-button", onclick }, icon(name));
}

/** What a button is called, for those who point at it and for those who hear it. */
export function nameButton(button, name) {
  setAttribute(button, "aria-label", name);
  setAttribute(button, "title", name);
}
