/** The element's inside: the views of a chat, laid out, and brought up to date when something has changed. */
import { ComposerView } from "../composer/composer.js";
import { h, setAttribute, setText } from "../dom.js";
import { asObject, asText } from "../values.js";
import { HeaderView } from "./header.js";
import { StartView } from "./start.js";
import { ThreadView } from "./thread.js";
import { addStyles } from "../style-sheet.js";
import { frameStyles } from "./frame.css.js";
/** @import {ChatKitOptions} from "@openai/chatkit" */
/** @import {Chat} from "../chat.js" */
/** @import {HistoryView} from "./history.js" */

addStyles({ frame: frameStyles });

/**
 * Milliseconds from one update to the next while an answer is written. Nobody reads word by word, and each update has the
 * whole page laid out, painted and put together.
 */
const PACE = 45;
/** Milliseconds after which an update is made up for that no frame has made: frames stand still in a hidden tab. */
const LATEST_UPDATE = 250;

export class FrameView {
  /** Of the update that is to come: when it comes at the latest. @type {ReturnType<typeof setTimeout>|undefined} */
  #latest;
  #updatedAt = -Infinity;
  /** @type {HTMLElement|null} */
  #focusedBefore = null;
  /** @type {HistoryView|null} once it has been asked for */
  history = null;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.header = new HeaderView(chat);
    this.start = new StartView(chat);
    this.thread = new ThreadView(chat, this.start);
    this.composer = new ComposerView(chat);
    this.status = h("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    this.main = h("div", { class: "main" }, this.header.node, this.thread.node, this.composer.node);
    this.node = h("section", { class: "frame", part: "frame" }, this.main, this.status);
    this.#listenForEarlyDrops();
    this.#followModality();
    this.#awaitTouch();
  }

  /** A ring around what has the focus is for those who move it by keys, not for who has pointed there. */
  #followModality() {
    const forget = () => this.node.removeAttribute("data-pointer");
    this.node.addEventListener("pointerdown", () => setAttribute(this.node, "data-pointer", true), true);
    this.node.addEventListener("keydown", ({ key }) => /^(?:Tab|Arrow)/.test(key) && forget(), true);
    this.node.addEventListener("focusout", ({ relatedTarget }) => !relatedTarget && forget());
  }

  /** What is for fingers is loaded by the first one. */
  #awaitTouch() {
    const { node } = this;
    const ontouch = (/** @type {PointerEvent} */ { pointerType }) => {
      if (pointerType === "mouse") return;
      node.removeEventListener("pointerdown", ontouch);
      this.chat.load("touch").then(
        ({ followTouch }) => followTouch(this.chat),
        () => {},
      );
    };
    node.addEventListener("pointerdown", ontouch);
  }

  /** Until the part is there that has a zone for them, files may be dropped all the same. */
  #listenForEarlyDrops() {
    const { composer } = this;
    const isEarly = (/** @type {DragEvent} */ event) =>
      event.dataTransfer?.types.includes("Files") &&
      composer.extras.offersFiles &&
      !composer.extras.attachments.isOffered &&
      this.chat.conversation.isWritable &&
      !this.chat.isReadOnly;
    this.node.addEventListener("dragover", (event) => {
      if (isEarly(event)) event.preventDefault();
    });
    this.node.addEventListener("drop", (event) => {
      if (!isEarly(event)) return;
      event.preventDefault();
      composer.takeFiles([...(event.dataTransfer?.files ?? [])]);
    });
  }

  /** The chat has other options. */
  configure() {
    const { options, isReadOnly } = this.chat;
    this.#applyTheme(options.theme);
    setAttribute(this.node, "aria-label", options.frameTitle ?? this.chat.text("chat"));
    this.composer.node.hidden = isReadOnly;
    for (const view of [this.header, this.start, this.thread, this.composer, this.history]) view?.configure();
    this.update();
  }

  /** @param {ChatKitOptions["theme"]} theme */
  #applyTheme(theme) {
    const { colorScheme, radius, density, color, typography } = asObject(
      typeof theme === "string" ? { colorScheme: theme } : theme,
    );
    const scheme = colorScheme === "dark" ? "dark" : "light";
    Object.assign(this.node.dataset, { scheme, radius: asText(radius), density: asText(density) });
    this.node.removeAttribute("style");
    if (!color && !typography) return;
    const part = this.chat.part("theme");
    if (part) part.applyTheme(this.node, theme);
    else
      this.chat.load("theme").then(
        () => this.#applyTheme(this.chat.options.theme),
        (error) => this.chat.dispatchError(error),
      );
  }

  update() {
    clearTimeout(this.#latest);
    this.#latest = undefined;
    this.#updatedAt = performance.now();
    for (const view of [this.start, this.header, this.thread, this.composer]) view.update();
    this.updateHistory();
  }

  updateHistory() {
    if (this.history?.isOpen) this.history.update();
  }

  /** One update for all the events that arrive within a frame, or a few of them. */
  updateSoon() {
    if (this.#latest) return;
    const update = () => this.#latest && this.update();
    const onFrame = () => requestAnimationFrame(update);
    this.#latest = setTimeout(update, LATEST_UPDATE);
    const isAnswering = this.chat.conversation.phase === "answering";
    const wait = isAnswering ? this.#updatedAt + PACE - performance.now() : 0;
    if (wait > 0) setTimeout(onFrame, wait);
    else onFrame();
  }

  /** @throws {Error} when it cannot be had */
  async loadHistory() {
    const { HistoryView } = await this.chat.load("history");
    if (this.history) return;
    this.history = new HistoryView(this.chat);
    this.history.configure();
    this.main.after(this.history.node);
  }

  async showHistory() {
    this.#focusedBefore = this.#focused;
    this.main.inert = true;
    await this.history?.open();
  }

  hideHistory() {
    this.history?.close();
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
