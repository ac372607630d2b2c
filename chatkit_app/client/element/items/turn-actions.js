/** What can be done with an answer that is there. */
import { h, setAttribute } from "../dom.js";
import { icon } from "../icons.js";
import { itemText } from "../items.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { copyText } from "../ui/clipboard.js";
import { place } from "../ui/popover.js";
import { menuStyles } from "../ui/menu.css.js";
import { addStyles } from "../style-sheet.js";
import { turnActionStyles } from "./turn-actions.css.js";
/** @import {Host, StringKey} from "../host.js" */
/** @import {AnyItem} from "../items.js" */
/** @import {FeedbackKind} from "../protocol.js" */

addStyles({ menu: menuStyles, turnActions: turnActionStyles });

/** Types whose text is what the assistant said; that of workflows is what it did. */
const SAID = ["assistant_message", "widget", "structured_input"];
const MAX_QUOTE = 300;

export class TurnActions {
  #host;
  /** @type {AnyItem[]} */
  #items = [];
  /** @type {AnyItem|null} */
  #before = null;
  /** @type {object|undefined} */
  #options;
  #isClosed = false;
  #isWithStaff = false;
  /** @type {FeedbackKind|undefined} what was pressed here, which the items say only when they are read again */
  #pressed;

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.copy = this.#button("copy", "copy", () => this.#copy());
    this.positive = this.#button("thumbs-up", "feedbackPositive", () => this.#rate("positive"));
    this.negative = this.#button("thumbs-down", "feedbackNegative", () => this.#rate("negative"));
    this.retry = this.#button("reload", "answerAgain", () => host.retry(/** @type {any} */ (this.#before)));
    this.quote = this.#button("quote", "quote", () => this.#quote());
    // Pressing it must leave the selection as it is.
    this.quote.addEventListener("mousedown", (event) => event.preventDefault());
    const buttons = [this.copy, this.positive, this.negative, this.retry, this.quote];
    const naming = { role: "group", "aria-label": host.text("turnActions") };
    this.node = h("div", { class: "turn-actions", part: "turn-actions", ...naming }, ...buttons);
  }

  /** @param {string} name @param {StringKey} key @param {() => void} onclick */
  #button(name, key, onclick) {
    const button = iconButton(name, onclick);
    nameButton(button, this.#host.text(key));
    return button;
  }

  /**
   * @param {AnyItem[]} items the assistant's, of one finished turn
   * @param {AnyItem|null} [before] the item before them, after which to answer again
   * @param {HTMLElement|null} [pager] that of its earlier versions
   */
  update(items, before = null, pager = null) {
    const { options, isClosed, isWithStaff } = this.#host;
    // What is an earlier version is there to be read.
    const isReadOnly = this.#host.isReadOnly || items.some(({ isEarlier }) => isEarlier);
    // Behind the buttons, which stay where they are when there is another answer.
    if (pager && this.node.lastChild !== pager) this.node.append(pager);
    else if (!pager && this.node.lastChild !== this.quote) this.node.lastChild?.remove();
    const isSame = items.length === this.#items.length && items.every((item, index) => item === this.#items[index]);
    const isSamePlace = options === this.#options && isClosed === this.#isClosed && isWithStaff === this.#isWithStaff;
    if (isSame && before === this.#before && isSamePlace) return;
    if (items[0]?.id !== this.#items[0]?.id) this.#pressed = undefined;
    this.#options = options;
    this.#isClosed = isClosed;
    this.#isWithStaff = isWithStaff;
    this.#items = items;
    this.#before = before;
    const { feedback, retry } = options.threadItemActions ?? {};
    this.copy.hidden = !this.#text;
    this.quote.hidden = isReadOnly || isClosed || !this.#text;
    this.positive.hidden = this.negative.hidden = isReadOnly || !feedback;
    // What a person wrote is not to be had again, nor anything while one answers.
    const isByPerson = isWithStaff || items.some((item) => "author" in item);
    this.retry.hidden = isReadOnly || isClosed || !retry || !before || isByPerson;
    this.#showFeedback();
  }

  get #text() {
    const said = this.#items.filter(({ type }) => SAID.includes(type));
    return said.map(itemText).filter(Boolean).join("\n\n");
  }

  async #copy() {
    const isCopied = await copyText(this.#text);
    this.#host.announce(this.#host.text(isCopied ? "copied" : "error"));
    if (!isCopied) return;
    this.copy.replaceChildren(icon("check"));
    setTimeout(() => this.copy.replaceChildren(icon("copy")), 2000);
  }

  #showFeedback() {
    const kind = this.#pressed ?? this.#items.find(({ feedback }) => feedback)?.feedback;
    const show = (/** @type {HTMLElement} */ button, /** @type {FeedbackKind} */ own, /** @type {string} */ name) => {
      setAttribute(button, "aria-pressed", String(kind === own));
      button.replaceChildren(icon(kind === own ? `${name}-filled` : name));
    };
    show(this.positive, "positive", "thumbs-up");
    show(this.negative, "negative", "thumbs-down");
  }

  /** @param {FeedbackKind} kind */
  async #rate(kind) {
    const before = this.#pressed;
    this.#pressed = kind;
    this.#showFeedback();
    const isTaken = await this.#host.feedback(/** @type {any} */ (this.#items), kind).then(
      () => true,
      () => false,
    );
    this.#host.announce(this.#host.text(isTaken ? "feedbackSent" : "feedbackFailed"));
    if (isTaken) return;
    this.#pressed = before;
    this.#showFeedback();
  }

  #quote() {
    const plainText = this.#host.part("markdown")?.plainText ?? String;
    const whole = plainText(this.#text).trim();
    const shortened = whole.length > MAX_QUOTE ? `${whole.slice(0, MAX_QUOTE).toWellFormed()}…` : whole;
    let selected = null;
    let item = this.node.closest(".item");
    for (; item && !selected && !item.matches(".user"); item = item.previousElementSibling) {
      selected = selectionIn(item);
    }
    this.#host.quote(selected?.text ?? shortened);
  }
}

/** @param {Node} node @returns {{text: string, range: Range}|null} what is selected, if it begins in a node */
function selectionIn(node) {
  const root = /** @type {any} */ (node.getRootNode());
  /** @type {any} */
  const selection = (root.getSelection ? root : document).getSelection();
  if (!selection?.rangeCount || selection.isCollapsed) return null;
  // Safari shows what is selected in a shadow tree to those alone who name the tree.
  const all = selection.getComposedRanges?.({ shadowRoots: [root] })[0] ?? selection.getRangeAt(0);
  if (!node.contains(all.startContainer)) return null;
  const isWhole = node.contains(all.endContainer);
  const range = document.createRange();
  range.setStart(all.startContainer, all.startOffset);
  if (isWhole) range.setEnd(all.endContainer, all.endOffset);
  else range.setEnd(node, node.childNodes.length);
  const text = String(isWhole ? selection : range).trim();
  return text ? { text, range } : null;
}

/** Offer to quote what is selected with the pointer. @param {Host} host @param {HTMLElement} node */
export function offerQuote(host, node) {
  const show = () => {
    const selected = selectionIn(node);
    if (!selected || host.isReadOnly || host.isClosed) return;
    const quote = () => {
      popover.remove();
      host.quote(selected.text);
    };
    const properties = { type: "button", class: "menu-item", onclick: quote };
    const button = h("button", properties, icon("quote"), host.text("quote"));
    const ontoggle = (/** @type {ToggleEvent} */ { newState }) => newState === "closed" && popover.remove();
    const popover = h("div", { class: "popover", popover: "auto", part: "quote-button", ontoggle }, button);
    node.after(popover);
    popover.showPopover();
    place(popover, selected.range.getBoundingClientRect(), { above: true });
  };
  // Once the selection is what it will be: a click on one clears it after this.
  const showSoon = () => setTimeout(show);
  node.addEventListener("pointerdown", () => document.addEventListener("pointerup", showSoon, { once: true }));
}
