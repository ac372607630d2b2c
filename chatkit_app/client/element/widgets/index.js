/** Widgets: what the server has composed of cards, texts, forms and so on. */
import { h } from "../dom.js";
import { asObject, asText } from "../values.js";
import { ACTIONS, withFields } from "./actions.js";
import { CONTENT, passage } from "./content.js";
import { editableText, FIELDS, tieLabels } from "./fields.js";
import { childrenOf } from "./nodes.js";
import { ROOTS } from "./roots.js";
import { word } from "./tokens.js";
import { addStyles } from "../style-sheet.js";
import { boxStyles } from "./box.css.js";
import { contentStyles } from "./content.css.js";
import { fieldStyles } from "./fields.css.js";
import { rootStyles } from "./roots.css.js";
/** @import {Host} from "../host.js" */
/** @import {WidgetItem} from "../protocol.js" */
/** @import {Kind, Parent, Props, View} from "./nodes.js" */

addStyles({ box: boxStyles, roots: rootStyles, content: contentStyles, fields: fieldStyles });

/** New ones in one update; more are left out. */
const MAX_NODES = 5000;
/** @type {Record<string, Kind>} */
const KINDS = { ...CONTENT, ...FIELDS, ...ACTIONS, ...ROOTS };

export class WidgetView {
  node = h("div", { class: "widget", part: "widget" });
  /** A new field that asks for the focus. @type {HTMLElement|null} */
  wantsFocus = null;
  /** @type {WidgetItem|null} */
  #item = null;
  #children = childrenOf({ widget: this, depth: 0 }, this.node);
  #room = 0;
  #wasClosed = false;

  /** @param {Host} host */
  constructor(host) {
    this.host = host;
  }

  get isReadOnly() {
    return this.host.isReadOnly || !this.#item;
  }

  /** @param {unknown} [action] of a control @returns {boolean} whether it can be used: the page may act for a closed thread */
  isUsable(action) {
    return !this.isReadOnly && (!this.host.isClosed || asObject(action).handler === "client");
  }

  /** What has the focus in this widget. */
  get focused() {
    const { activeElement } = /** @type {ShadowRoot} */ (this.node.getRootNode());
    return this.node.contains(activeElement ?? null) ? /** @type {HTMLElement|null} */ (activeElement) : null;
  }

  /** @param {WidgetItem} item */
  update(item) {
    this.#item = item;
    // What is the same object is not looked at again.
    this.show(this.host.isClosed === this.#wasClosed ? item.widget : structuredClone(item.widget));
    this.#wasClosed = this.host.isClosed;
  }

  /** @param {unknown} root */
  show(root) {
    const props = asObject(root);
    const hadFocus = this.focused;
    this.#room = MAX_NODES;
    this.#children(props);
    tieLabels(this.node);
    if (!Object.hasOwn(KINDS, asText(props.type)) && !props.children) {
      this.node.append(h("p", { class: "w-unknown" }, this.host.text("unsupported")));
    }
    // Only for somebody who is in this widget already: nobody else has asked for it.
    if (hadFocus) this.wantsFocus?.focus({ preventScroll: true });
    this.wantsFocus = null;
  }

  /** @type {(parent: Parent, props: Props) => View | null} null when there are too many */
  create(parent, props) {
    const type = asText(props.type);
    if ((this.#room -= 1) < 0) return null;
    if (type === "Text" && props.editable) return editableText(parent, props);
    return Object.hasOwn(KINDS, type) ? KINDS[type](parent, props) : passage(parent, h("div", { class: "w-unknown" }));
  }

  /**
   * Carry out an action of a node, and show meanwhile that it is going on.
   *
   * @param {unknown} config
   * @param {HTMLElement} source
   * @param {"none"|"self"|"container"} usual how to show it, where the action does not say
   * @returns {Promise<boolean>} whether it was carried out
   */
  async act(config, source, usual) {
    const action = /** @type {any} */ (asObject(config));
    if (!asText(action.type) || !this.#item || !this.isUsable(action) || source.closest("[data-busy]")) return false;
    const payload = withFields(action.payload, source);
    const done = this.host.act({ ...action, payload }, this.#item);
    const behavior = word(action.loadingBehavior, "none self container") || usual;
    await (behavior === "none" ? done : this.#showBusy(behavior === "self" ? source : this.node, done));
    return true;
  }

  /** @type {(node: HTMLElement, done: Promise<void>) => Promise<void>} */
  async #showBusy(node, done) {
    const { focused } = this;
    node.dataset.busy = "";
    node.ariaBusy = "true";
    // A button keeps the focus: it does nothing as long as it is busy.
    if (node.localName === "button") node.ariaDisabled = "true";
    else node.inert = true;
    await done;
    delete node.dataset.busy;
    node.ariaBusy = node.ariaDisabled = null;
    node.inert = false;
    if (document.activeElement === document.body) focused?.focus({ preventScroll: true });
  }
}

/** A widget to look at: links can be followed in it, and no more. @type {(host: Host, root: unknown) => HTMLElement} */
export function renderRoot(host, root) {
  const view = new WidgetView(host);
  view.show(root);
  return view.node;
}
