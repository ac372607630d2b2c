/** A menu at a button: opens below or above it, closes by Escape, Tab and a click elsewhere. */
import { h, setAttribute } from "../dom.js";
import { icon } from "../icons.js";
import { isShown, keepPlaced } from "./popover.js";
import { addStyles } from "../style-sheet.js";
import { menuStyles } from "./menu.css.js";

addStyles({ menu: menuStyles });

/**
 * @typedef {object} MenuEntry
 * @property {string} label
 * @property {string} [description]
 * @property {string} [icon]
 * @property {boolean} [checked] makes it one of several to choose from; the chosen one says true
 * @property {boolean} [disabled]
 * @property {boolean} [danger]
 * @property {() => void} onSelect
 */

export class Menu {
  /** @type {() => MenuEntry[]} */
  #entries;
  #button;

  /**
   * @param {HTMLButtonElement} button opens and closes it
   * @param {() => MenuEntry[]} entries asked each time it opens
   * @param {{above?: boolean, alignEnd?: boolean}} [placement]
   */
  constructor(button, entries, placement = {}) {
    this.#button = button;
    this.#entries = entries;
    this.placement = placement;
    this.node = h("div", { class: "popover menu", role: "menu", popover: "auto", part: "menu" });
    setAttribute(button, "aria-haspopup", "menu");
    setAttribute(button, "aria-expanded", "false");
    let wasOpen = false;
    // The press that closes it by being elsewhere must not open it again.
    button.addEventListener("pointerdown", () => (wasOpen = this.isOpen));
    button.addEventListener("click", () => {
      if (wasOpen) this.close();
      else this.open();
      wasOpen = false;
    });
    button.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      event.stopPropagation();
      this.open({ atEnd: event.key === "ArrowUp" });
    });
    this.node.addEventListener("keydown", (event) => this.#onKeyDown(event));
    this.node.addEventListener("toggle", (event) => this.#onToggle(/** @type {ToggleEvent} */ (event)));
    this.node.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.node.contains(/** @type {Node} */ (relatedTarget))) this.close();
    });
  }

  get isOpen() {
    return isShown(this.node);
  }

  open({ atEnd = false } = {}) {
    if (this.isOpen) return;
    const button = this.#button;
    setAttribute(this.node, "aria-label", button.getAttribute("aria-label") ?? button.textContent);
    this.node.replaceChildren(...this.#entries().map((entry) => this.#item(entry)));
    button.after(this.node);
    this.node.showPopover();
    keepPlaced(this.node, () => button.getBoundingClientRect(), this.placement);
    const items = this.#items;
    (items.find((item) => item.ariaChecked === "true") ?? items.at(atEnd ? -1 : 0))?.focus();
  }

  close() {
    // At once, for what is chosen may open a dialog, which gives the focus back to what it took it from.
    if (this.node.matches(":focus-within")) this.#button.focus();
    if (this.isOpen) this.node.hidePopover();
  }

  get #items() {
    return /** @type {HTMLElement[]} */ ([...this.node.querySelectorAll(".menu-item")]);
  }

  /** @param {MenuEntry} entry */
  #item({ label, description, icon: name, checked, disabled, danger, onSelect }) {
    const choose = () => {
      if (disabled) return;
      this.close();
      onSelect();
    };
    return h(
      "button",
      {
        type: "button",
        class: "menu-item",
        role: checked === undefined ? "menuitem" : "menuitemradio",
        "aria-checked": checked === undefined ? null : String(checked),
        "aria-disabled": disabled ? "true" : null,
        "data-danger": danger,
        tabindex: "-1",
        onclick: choose,
      },
      name && icon(name),
      h(
        "span",
        { class: "menu-label" },
        h("bdi", {}, label),
        description && h("span", { class: "menu-description" }, h("bdi", {}, description)),
      ),
      checked && icon("check"),
    );
  }

  /** @param {KeyboardEvent} event */
  #onKeyDown(event) {
    const items = this.#items;
    const root = /** @type {ShadowRoot|Document} */ (this.node.getRootNode());
    const current = items.indexOf(/** @type {HTMLElement} */ (root.activeElement));
    const target = {
      ArrowDown: items[(current + 1) % items.length],
      ArrowUp: items.at(current <= 0 ? -1 : current - 1),
      Home: items[0],
      End: items.at(-1),
    }[event.key];
    // Before the focus moves on, so that it moves on from the button.
    if (event.key === "Tab") this.close();
    // What is beneath the menu has keys of its own.
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      this.close();
    }
    const typed = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey;
    const found = typed
      ? [...items.slice(current + 1), ...items].find((item) =>
          item.textContent?.toLowerCase().startsWith(event.key.toLowerCase()),
        )
      : target;
    if (!found) return;
    event.preventDefault();
    found.focus();
  }

  /** @param {ToggleEvent} event */
  #onToggle({ newState }) {
    setAttribute(this.#button, "aria-expanded", String(newState === "open"));
    if (newState !== "closed") return;
    // Unless the click that closed it has put the focus somewhere else.
    if (document.activeElement === document.body) this.#button.focus();
  }
}
