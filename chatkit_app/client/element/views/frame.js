/** The element's inside: the views of a chat, laid out, and brought up to date when something has changed. */
import { ComposerView } from "../composer/composer.js";
import { h, setAttribute, setText } from "../dom.js";
import { applyTheme } from "../theme.js";
import { HeaderView } from "./header.js";
import { HistoryView } from "./history.js";
import { StartView } from "./start.js";
import { ThreadView } from "./thread.js";
/** @import {Chat} from "../chat.js" */

/** Milliseconds after which an update is made up for that no frame has made: frames stand still in a hidden tab. */
const LATEST_UPDATE = 250;

export class FrameView {
  #isUpdatePending = false;
  /** @type {HTMLElement|null} */
  #focusedBefore = null;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.header = new HeaderView(chat);
    this.start = new StartView(chat);
    this.thread = new ThreadView(chat, this.start);
    this.composer = new ComposerView(chat);
    this.history = new HistoryView(chat);
    this.status = h("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    this.main = h("div", { class: "main" }, this.header.node, this.thread.node, this.composer.node);
    this.node = h("section", { class: "frame", part: "frame" }, this.main, this.history.node, this.status);
  }

  /** The chat has other options. */
  configure() {
    const { options, isReadOnly } = this.chat;
    applyTheme(this.node, options.theme);
    setAttribute(this.node, "aria-label", options.frameTitle ?? this.chat.text("chat"));
    this.composer.node.hidden = isReadOnly;
    for (const view of [this.header, this.start, this.thread, this.composer, this.history]) view.configure();
    this.update();
  }

  update() {
    this.#isUpdatePending = false;
    for (const view of [this.start, this.header, this.thread, this.composer]) view.update();
    this.updateHistory();
  }

  updateHistory() {
    if (this.history.isOpen) this.history.update();
  }

  /** One update for all the events that arrive within a frame. */
  updateSoon() {
    if (this.#isUpdatePending) return;
    this.#isUpdatePending = true;
    const update = () => {
      if (this.#isUpdatePending) this.update();
    };
    requestAnimationFrame(update);
    setTimeout(update, LATEST_UPDATE);
  }

  async showHistory() {
    this.#focusedBefore = this.#focused;
    this.main.inert = true;
    await this.history.open();
  }

  hideHistory() {
    this.history.close();
    this.main.inert = false;
    if (this.#focusedBefore?.isConnected) this.#focusedBefore.focus();
  }

  /** @param {string} text told to screen readers, politely */
  announce(text) {
    setText(this.status, text);
  }

  get #focused() {
    const root = /** @type {ShadowRoot} */ (this.node.getRootNode());
    return /** @type {HTMLElement|null} */ (root.activeElement ?? document.activeElement);
  }
}
