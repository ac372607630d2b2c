/** A widget in the thread. */
import { h } from "../dom.js";
import { renderRoot, WidgetView } from "../widgets/index.js";
/** @import {Host} from "../host.js" */
/** @import {WidgetItem} from "../protocol.js" */

export class WidgetItemView {
  #widget;

  /** @param {Host} host */
  constructor(host) {
    this.#widget = new WidgetView(host);
    const who = h("h3", { class: "visually-hidden" }, host.text("assistant"));
    this.node = h("li", { class: "item widget-item" }, who, this.#widget.node);
  }

  /** @param {WidgetItem} item */
  update(item) {
    this.#widget.update(item);
  }
}

export const ITEM_VIEWS = { widget: WidgetItemView };

export { renderRoot };
