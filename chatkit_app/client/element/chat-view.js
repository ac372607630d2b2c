/** The element's inside: conversations, the views of one, and what joins them. */
import { Conversations } from "./conversations.js";
import { ComposerView } from "./composer/composer.js";
import { h, setAttribute, setText } from "./dom.js";
import { itemText } from "./items.js";
import { plainText } from "./markdown/document.js";
import { applyTheme } from "./theme.js";
import { Transport } from "./transport.js";
import { isLoadable } from "./urls.js";
import { asObject, asText } from "./values.js";
import { HeaderView } from "./views/header.js";
import { HistoryView } from "./views/history.js";
import { StartView } from "./views/start.js";
import { ThreadView } from "./views/thread.js";
/** @import {ChatKitEvents, ChatKitOptions, Entity, Widgets} from "@openai/chatkit" */
/** @import {Message} from "./conversation.js" */
/** @import {TransportError} from "./transport.js" */
/** @import {Host, StringKey} from "./host.js" */
/** @import {AnyItem} from "./items.js" */
/** @import {STRINGS} from "./strings.js" */
/** @import {ActionConfig, FeedbackKind, StructuredInputSubmission} from "./protocol.js" */

/** Milliseconds after which an update is made up for that no frame has made: frames stand still in a hidden tab. */
const LATEST_UPDATE = 250;

/** @implements {Host} */
export class ChatView {
  /** @type {Promise<void>} the loading of the thread that was opened last */
  opening = Promise.resolve();
  #element;
  #runEvents;
  #updatePending = false;
  /** @type {HTMLElement|null} */
  #focusedBefore = null;
  #frameId = `frame_${crypto.getRandomValues(new BigUint64Array(2)).join("")}`;

  /**
   * @param {HTMLElement} element
   * @param {ChatKitOptions} options
   * @param {{strings: typeof STRINGS, runEvents: ((run: string) => string)|null}} site
   */
  constructor(element, options, { strings, runEvents }) {
    this.#element = element;
    this.strings = strings;
    this.#runEvents = runEvents;
    this.options = options;
    this.transport = this.#createTransport();
    this.conversations = new Conversations(this.transport);
    this.frame = h("section", { class: "frame", part: "frame" });
    this.header = new HeaderView(this);
    this.start = new StartView(this);
    this.thread = new ThreadView(this, this.start);
    this.composer = new ComposerView(this);
    this.history = new HistoryView(this);
    this.status = h("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    this.main = h("div", { class: "main" }, this.header.node, this.thread.node, this.composer.node);
    this.frame.append(this.main, this.history.node, this.status);
    this.#listen();
    this.configure(options, { strings, runEvents });
  }

  /**
   * Apply a full set of options.
   *
   * @param {ChatKitOptions} options
   * @param {{strings: typeof STRINGS, runEvents: ((run: string) => string)|null}} site
   */
  configure(options, { strings, runEvents }) {
    this.options = options;
    this.strings = strings;
    this.#runEvents = runEvents;
    this.transport = this.#createTransport();
    this.conversations.configure(this.transport, options.onClientTool, this.isReadOnly);
    applyTheme(this.frame, options.theme);
    setAttribute(this.frame, "aria-label", options.frameTitle ?? this.text("chat"));
    this.composer.node.hidden = this.isReadOnly;
    for (const view of [this.header, this.start, this.thread, this.composer, this.history]) view.configure();
    this.#update();
  }

  /** The element is read-only now, or not any more. */
  reconsider() {
    this.configure(this.options, { strings: this.strings, runEvents: this.#runEvents });
    this.conversation.refresh().catch((error) => this.#report(error));
  }

  /** The element is gone from the page; the server goes on. */
  leave() {
    this.conversations.leave();
  }

  /** The element is back on the page. */
  resume() {
    this.conversations.resume();
  }

  // What views ask

  get conversation() {
    return this.conversations.current;
  }

  /** The language of the page around the chat. */
  get language() {
    const page = /** @type {HTMLElement|null} */ (this.#element.closest("[lang]"));
    try {
      return Intl.getCanonicalLocales(this.options.locale ?? page?.lang)[0];
    } catch {
      return undefined;
    }
  }

  /** A conversation to be read: `<openai-chatkit readonly>`. */
  get isReadOnly() {
    return this.#element.hasAttribute("readonly");
  }

  get isClosed() {
    return !this.conversation.isWritable;
  }

  get isAnswering() {
    return this.conversation.phase === "answering";
  }

  /**
   * @param {StringKey} key
   * @param {Record<string, string|number>} [values]
   */
  text(key, values) {
    const text = this.strings[key] ?? "";
    return values ? text.replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all)) : text;
  }

  /** @param {string} url */
  mayLoad(url) {
    return isLoadable(url, this.conversation.thread?.allowed_image_domains);
  }

  /** @param {string} threadId */
  isAnsweringIn(threadId) {
    return this.conversations.isAnsweringIn(threadId);
  }

  // What can be done

  /** @param {Message} message */
  async send(message) {
    if (this.isReadOnly) return;
    this.log("message.send", { hasAttachments: Boolean(message.attachments?.length) });
    const sent = this.conversation.send(message);
    this.#update();
    this.thread.showNewest();
    await sent;
  }

  stop() {
    this.log("response.stop");
    this.conversation.stop();
  }

  /** @param {{id: string}|null} [after] the item after which to answer again; what has failed without one */
  async retry(after) {
    this.log("response.retry");
    this.composer.focus();
    await (after ? this.conversation.retryAfter(after.id) : this.conversation.retry());
  }

  newChat({ focus = true } = {}) {
    this.hideHistory();
    this.conversations.startNew();
    this.#update();
    if (focus) this.composer.focus();
  }

  /** @param {string} threadId */
  async openThread(threadId, { focus = true } = {}) {
    this.hideHistory();
    this.dispatch("chatkit.thread.load.start", { threadId });
    this.opening = this.conversations.open(threadId);
    const { conversation } = this;
    this.#update();
    if (focus) this.composer.focus();
    await this.opening;
    // Another one may have been opened meanwhile.
    if (conversation === this.conversation) {
      this.#update();
      this.thread.showNewest({ isOpening: true });
    }
    this.dispatch("chatkit.thread.load.end", { threadId });
  }

  async showHistory() {
    if (this.history.isOpen) return;
    this.#focusedBefore = this.#focused;
    this.main.inert = true;
    this.dispatch("chatkit.history.open");
    await this.history.open();
  }

  hideHistory() {
    if (!this.history.isOpen) return;
    this.history.close();
    this.main.inert = false;
    if (this.#focusedBefore?.isConnected) this.#focusedBefore.focus();
    this.dispatch("chatkit.history.close");
  }

  /**
   * @param {string} threadId
   * @param {string} title
   * @throws {TransportError} when the server refuses
   */
  async renameThread(threadId, title) {
    const thread = await this.transport.request("threads.update", { thread_id: threadId, title });
    this.log("thread.rename");
    this.conversations.updateThread({ ...thread, id: threadId, title });
  }

  /**
   * @param {string} threadId
   * @throws {TransportError} when the server refuses
   */
  async deleteThread(threadId) {
    await this.transport.request("threads.delete", { thread_id: threadId });
    this.log("thread.delete");
    if (this.conversation.thread?.id === threadId) this.conversations.startNew();
  }

  /**
   * @param {ActionConfig} action
   * @param {AnyItem} item the widget's
   */
  async act({ type, payload, handler, streaming }, item) {
    if (this.isReadOnly) return;
    const action = payload === undefined ? { type } : { type, payload };
    this.log("widget.action", { type });
    try {
      if (handler === "client") {
        await this.options.widgets?.onAction?.(action, { id: item.id, widget: item.widget });
      } else if (streaming === false) await this.conversation.syncAction(item.id, action);
      else await this.conversation.customAction(item.id, action);
    } catch (error) {
      this.#report(error);
    }
  }

  /**
   * @param {{id: string}} item
   * @param {StructuredInputSubmission} input
   */
  async submitInputs(item, input) {
    await this.conversation.submitInputs(item.id, input);
  }

  /**
   * @param {{id: string}[]} items
   * @param {FeedbackKind} kind
   */
  async feedback(items, kind) {
    this.log("message.feedback", { kind });
    await this.conversation.feedback(items, kind);
  }

  /** @param {string} text */
  quote(text) {
    this.composer.setReply(text);
    this.composer.focus();
  }

  /** @param {Entity} entity */
  clickEntity(entity) {
    this.options.entities?.onClick?.(entity);
  }

  /**
   * @param {Entity} entity
   * @returns {Promise<Widgets.BasicRoot|null>}
   */
  async previewEntity(entity) {
    try {
      return (await this.options.entities?.onRequestPreview?.(entity))?.preview ?? null;
    } catch (error) {
      this.dispatch("chatkit.error", { error: asError(error) });
      return null;
    }
  }

  /** @param {MouseEvent} event */
  followLink(event) {
    const { href } = /** @type {HTMLAnchorElement} */ (event.currentTarget);
    if (!href.startsWith("chatkit-link:")) return;
    event.preventDefault();
    const { host, pathname, searchParams } = new URL(href);
    const name = `${host}${pathname}`.replace(/^\/+|\/+$/g, "");
    this.dispatch("chatkit.deeplink", { name, data: Object.fromEntries(searchParams) });
  }

  /** @param {string} text */
  announce(text) {
    setText(this.status, text);
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} [data]
   */
  log(name, data) {
    this.dispatch("chatkit.log", data ? { name, data } : { name });
  }

  /**
   * @param {keyof ChatKitEvents} type
   * @param {unknown} [detail]
   */
  dispatch(type, detail) {
    this.#element.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // What happens

  #listen() {
    /** @type {(type: string, listener: (detail: any) => void) => void} */
    const on = (type, listener) =>
      this.conversations.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
    on("change", () => this.#updateSoon());
    on("backgroundchange", () => this.history.isOpen && this.history.update());
    on("threadchange", () =>
      this.dispatch("chatkit.thread.change", { threadId: this.conversation.thread?.id ?? null }),
    );
    on("effect", (effect) => this.dispatch("chatkit.effect", effect));
    on("failure", ({ error }) => this.dispatch("chatkit.error", { error: asError(error) }));
    on("responsestart", () => {
      this.announce(this.text("answering"));
      this.dispatch("chatkit.response.start");
    });
    on("responseend", ({ isOver }) => {
      if (isOver) this.#announceAnswer();
      this.dispatch("chatkit.response.end");
    });
  }

  /** Read the answer out once it is whole; a text that grows word by word cannot be listened to. */
  #announceAnswer() {
    const { items, answeredFrom, failure, wasStopped } = this.conversation;
    // The failure is an alert of its own.
    if (failure) this.announce("");
    else if (wasStopped) this.announce(this.text("stopped"));
    else {
      const answer = items.slice(answeredFrom).map(itemText).filter(Boolean).map(plainText).join("\n");
      this.announce(`${this.text("answerFinished")} ${answer}`);
    }
  }

  /** @param {unknown} error of something that was done in the chat, and has no other place to be told at */
  #report(error) {
    const message = asText(asObject(error).message);
    this.announce(message || this.text("error"));
    this.thread.showProblem(error instanceof TypeError ? "" : message);
    this.dispatch("chatkit.error", { error: asError(error) });
  }

  get #focused() {
    return /** @type {HTMLElement|null} */ (this.#element.shadowRoot?.activeElement ?? document.activeElement);
  }

  #createTransport() {
    return new Transport(/** @type {any} */ (this.options.api) ?? {}, this.#frameId, this.#runEvents);
  }

  /** One update for all the events that arrive within a frame. */
  #updateSoon() {
    if (this.#updatePending) return;
    this.#updatePending = true;
    const update = () => {
      if (this.#updatePending) this.#update();
    };
    requestAnimationFrame(update);
    setTimeout(update, LATEST_UPDATE);
  }

  #update() {
    this.#updatePending = false;
    for (const view of [this.start, this.header, this.thread, this.composer]) view.update();
    if (this.history.isOpen) this.history.update();
  }
}

/**
 * @param {unknown} error
 * @returns {Error}
 */
function asError(error) {
  return error instanceof Error ? error : new Error(String(error));
}
