/** An item whose view is loaded when the first one of its type is to be shown. */
import { h } from "../dom.js";
import { FallbackView } from "./plain.js";
/** @import {Host, PartName} from "../host.js" */
/** @import {ItemView} from "./index.js" */

/** Nothing at first, then the item's own view; what there is to read in it when that cannot be had. */
export class LazyItemView {
  #host;
  /** @type {ItemView} */
  #view = { node: h("li", { class: "item", part: "item" }), update() {} };
  /** @type {Parameters<ItemView["update"]>|null} what is to be shown */
  #shown = null;

  /** @param {Host} host @param {PartName} part @param {string} type */
  constructor(host, part, type) {
    this.#host = host;
    const become = (/** @type {object} */ module) => this.#become(new (viewsOf(module)[type])(host));
    const known = host.part(part);
    if (known) become(known);
    else host.load(part).then(become, () => this.#become(new FallbackView(host)));
  }

  get node() {
    return this.#view.node;
  }

  /** @param {Parameters<ItemView["update"]>} shown */
  update(...shown) {
    this.#shown = shown;
    this.#view.update(...shown);
  }

  /** @param {ItemView} view */
  #become(view) {
    const { node: before } = this.#view;
    this.#view = view;
    if (!this.#shown) return;
    try {
      view.update(...this.#shown);
    } catch (error) {
      console.error("An item could not be shown.", error);
      view.node.replaceChildren(this.#host.text("unsupported"));
    }
    // What the page and the thread have put into the other one.
    const slot = before.querySelector(":scope > slot");
    if (slot) view.node.prepend(slot);
    const actions = before.querySelector(":scope > .turn-actions");
    if (actions) view.node.append(actions);
    before.replaceWith(view.node);
  }
}

/** @param {object} module @returns {Record<string, new (host: Host) => ItemView>} */
function viewsOf(module) {
  return /** @type {any} */ (module).ITEM_VIEWS;
}
