/** The list above the composer that is chosen from while writing. The focus stays in the text. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { keepPlaced, place } from "../ui/popover.js";
import { addStyles } from "../style-sheet.js";
import { menuStyles } from "../ui/menu.css.js";
/** @import {Token} from "./completion.js" */

addStyles({ menu: menuStyles });

const MAX_OPTIONS = 100;

/** How long after a finger the click may come that it makes, in milliseconds. */
const CLICK_DELAY = 50;

/**
 * @typedef {object} Suggestion
 * @property {string} label
 * @property {string} [description]
 * @property {string} [icon]
 * @property {string} [group]
 * @property {(token: Token) => void} onPick
 */

export class Suggestions {
  /** @type {Suggestion[]} */
  options = [];
  #active = 0;
  /** @type {HTMLElement[]} */
  #nodes = [];
  /** @type {(option: Suggestion) => void} */
  #onPick = () => {};
  #isPressed = false;
  /** @type {(() => void)|null} what is to be shown once the press is over */
  #later = null;

  /**
   * @param {HTMLTextAreaElement} input what is written in
   * @param {HTMLElement} anchor what the list is above of
   */
  constructor(input, anchor) {
    this.input = input;
    this.anchor = anchor;
    this.list = h("div", { role: "listbox", id: "suggestions" });
    this.note = h("p", { class: "menu-group" });
    this.node = h("div", { class: "popover suggestions", part: "menu", popover: "manual" }, this.list, this.note);
    // A press would take the focus out of the text.
    this.node.addEventListener("mousedown", (event) => event.preventDefault());
    this.node.addEventListener("pointerdown", () => this.#hold());
    setAttribute(input, "aria-controls", "suggestions");
  }

  get isOpen() {
    return this.node.isConnected && this.node.matches(":popover-open");
  }

  /**
   * Not before the end of a press, for a click needs the node that was pressed.
   *
   * @param {string} label what is chosen
   * @param {Suggestion[]} options
   * @param {string} note said below them, or ""
   * @param {(option: Suggestion) => void} [onPick]
   */
  show(label, options, note, onPick = () => {}) {
    const show = () => this.#show(label, options, note, onPick);
    if (this.#isPressed && this.isOpen) this.#later = show;
    else show();
  }

  /**
   * @param {string} label
   * @param {Suggestion[]} options
   * @param {string} note
   * @param {(option: Suggestion) => void} onPick
   */
  #show(label, options, note, onPick) {
    this.#onPick = onPick;
    // More of them may come after somebody has begun to choose.
    const chosen = this.#active && this.options[this.#active]?.label;
    this.options = options.slice(0, MAX_OPTIONS);
    this.#nodes = [];
    setAttribute(this.list, "aria-label", label);
    this.list.replaceChildren(...this.#groups());
    setText(this.note, note);
    this.note.hidden = !note;
    const anchor = () => this.anchor.getBoundingClientRect();
    if (this.isOpen) place(this.node, anchor(), { above: true });
    else {
      this.node.showPopover();
      keepPlaced(this.node, anchor, { above: true });
    }
    this.#activate(
      Math.max(
        0,
        this.options.findIndex(({ label }) => label === chosen),
      ),
    );
  }

  hide() {
    this.#later = null;
    if (this.isOpen) this.node.hidePopover();
    this.options = [];
    this.#active = 0;
    setAttribute(this.input, "aria-activedescendant", null);
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was the list's
   */
  onKeyDown(event) {
    const { length } = this.options;
    if (!length || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "ArrowDown") this.#activate((this.#active + 1) % length);
    else if (event.key === "ArrowUp") this.#activate((this.#active + length - 1) % length);
    else if (event.key === "Enter" || event.key === "Tab") this.#onPick(this.options[this.#active]);
    else return false;
    event.preventDefault();
    return true;
  }

  #hold() {
    this.#isPressed = true;
    const end = new AbortController();
    const release = () => {
      end.abort();
      setTimeout(() => {
        this.#isPressed = false;
        const show = this.#later;
        this.#later = null;
        show?.();
      }, CLICK_DELAY);
    };
    for (const name of ["pointerup", "pointercancel"]) addEventListener(name, release, { signal: end.signal });
  }

  /** Options of one group stand together, where the first of them stood. */
  #groups() {
    const groups = Map.groupBy(this.options, ({ group }) => group ?? "");
    this.options = [...groups.values()].flat();
    return [...groups].flatMap(([name, options]) => {
      const nodes = options.map((option) => this.#option(option));
      const heading = h("div", { class: "menu-group", role: "presentation", dir: "auto" }, name);
      return name ? [h("div", { role: "group", "aria-label": name }, heading, ...nodes)] : nodes;
    });
  }

  /** @param {Suggestion} suggestion */
  #option(suggestion) {
    const { label, description, icon: name } = suggestion;
    const onclick = () => this.#onPick(suggestion);
    const more = description && h("span", { class: "menu-description" }, description);
    const node = h(
      "div",
      { class: "menu-item", role: "option", id: `suggestion-${this.#nodes.length}`, onclick },
      name && icon(name),
      h("span", { class: "menu-label", dir: "auto" }, label, more),
    );
    this.#nodes.push(node);
    return node;
  }

  /** @param {number} index */
  #activate(index) {
    this.#active = index;
    this.#nodes.forEach((node, at) => setAttribute(node, "aria-selected", String(at === index)));
    this.#nodes[index]?.scrollIntoView({ block: "nearest" });
    setAttribute(this.input, "aria-activedescendant", this.#nodes[index]?.id);
  }
}

/**
 * @param {{label: string}} option
 * @param {string} query
 */
export function matches({ label }, query) {
  return label.toLowerCase().includes(query.toLowerCase());
}
