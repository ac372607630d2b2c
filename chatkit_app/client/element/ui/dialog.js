/** A question that has to be answered before anything else. */
import { h } from "../dom.js";
import { addStyles } from "../style-sheet.js";
import { dialogStyles } from "./dialog.css.js";

addStyles({ dialog: dialogStyles });

let dialogs = 0;

/**
 * Ask, and put the focus back where it was. Escape says no.
 *
 * @param {HTMLElement} frame where the dialog goes
 * @param {{title: string, text?: string, confirm: string, cancel: string, danger?: boolean}} question
 * @returns {Promise<boolean>} whether it was confirmed
 */
export function confirm(frame, { title, text, confirm: yes, cancel: no, danger = false }) {
  return new Promise((resolve) => {
    const id = `dialog-${++dialogs}`;
    const root = /** @type {ShadowRoot|Document} */ (frame.getRootNode());
    const before = /** @type {HTMLElement|null} */ (root.activeElement);
    const dialog = h(
      "dialog",
      {
        class: "dialog",
        part: "dialog",
        role: "alertdialog",
        "aria-labelledby": id,
        "aria-describedby": text && `${id}-text`,
      },
      h("h2", { id, dir: "auto" }, title),
      text && h("p", { id: `${id}-text`, dir: "auto" }, text),
      h(
        "form",
        { method: "dialog", class: "dialog-buttons" },
        // First, so that it has the focus: Enter must not delete.
        h("button", { class: "button", value: "no" }, no),
        h("button", { class: "button", value: "yes", "data-kind": danger ? "danger" : "primary" }, yes),
      ),
    );
    // What is beneath, and the page around it, have keys of their own.
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus();
      resolve(dialog.returnValue === "yes");
    });
    frame.append(dialog);
    dialog.showModal();
  });
}
