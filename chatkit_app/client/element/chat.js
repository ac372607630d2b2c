/** One chat: its options, its conversations, what can be done in it, and what the page is told of it. */
import { Conversations } from "./conversations.js";
import { setIconLoader } from "./icons.js";
import { ItemHost } from "./item-host.js";
import { itemText } from "./items.js";
import { PARTS } from "./parts.js";
import { Transport } from "./transport.js";
import { asObject, asText } from "./values.js";
import { FrameView } from "./views/frame.js";
/** @import {ChatKitEvents, ChatKitOptions} from "@openai/chatkit" */
/** @import {Message} from "./conversation.js" */
/** @import {TransportError} from "./transport.js" */
/** @import {PartModule, PartName, StringKey} from "./host.js" */
/** @import {STRINGS} from "./strings.js" */

/**
 * @typedef {object} Site what the page says beside the options
 * @property {Partial<typeof STRINGS>} strings
 * @property {((run: string) => string)|null} runEvents
 * @property {string|null} appUrl beneath which the app has more than the protocol
 * @property {boolean} offersStaff users may ask for a person of the team
 * @property {import("../drafts.js").Drafts|null} drafts
 */

/** The actions by which they do, and by which they would rather have the assistant again. */
const REQUEST_STAFF = "chatkit_app.request_staff";
const STOP_WAITING = "chatkit_app.stop_waiting";

/** Milliseconds for which a thread that is opened waits for what shows its texts, beside what it has to wait for. */
const MARKDOWN_PATIENCE = 1000;

setIconLoader(() => PARTS.icons.load());

export class Chat {
  /** @type {Promise<void>} the loading of the thread that was opened last */
  opening = Promise.resolve();
  #element;
  #site;
  #frameId = `frame_${crypto.getRandomValues(new BigUint64Array(2)).join("")}`;

  /**
   * @param {HTMLElement} element
   * @param {ChatKitOptions} options
   * @param {Site} site
   */
  constructor(element, options, site) {
    this.#element = element;
    this.#site = site;
    this.options = options;
    this.transport = this.#createTransport();
    // Nobody is to see a text plain first, and nobody waits for long.
    const markdown = this.load("markdown").catch(() => {});
    const readable = Promise.race([markdown, new Promise((resolve) => setTimeout(resolve, MARKDOWN_PATIENCE))]);
    this.conversations = new Conversations(this.transport, readable);
    this.host = new ItemHost(this);
    this.frame = new FrameView(this);
    this.#listen();
    this.configure(options, site);
  }

  /**
   * Apply a full set of options.
   *
   * @param {ChatKitOptions} options
   * @param {Site} site
   */
  configure(options, site) {
    this.options = options;
    this.#site = site;
    this.transport = this.#createTransport();
    this.conversations.configure(this.transport, options.onClientTool, this.isReadOnly);
    this.frame.configure();
  }

  /** The element is read-only now, or not any more. */
  reconsider() {
    this.configure(this.options, this.#site);
    this.conversation.refresh().catch((error) => this.report(error));
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

  get strings() {
    return this.#site.strings;
  }

  /** There is somebody of the team to be asked for, and nobody has been yet. */
  get canAskForStaff() {
    const { thread, isWritable } = this.conversation;
    return this.#site.offersStaff && !this.isReadOnly && thread !== null && isWritable && !thread.handler;
  }

  /** Where what is not sent yet is kept. */
  get drafts() {
    return this.#site.drafts;
  }

  get conversation() {
    return this.conversations.current;
  }

  /** Beneath which the app has more than the protocol; null with another server. */
  get appUrl() {
    return this.#site.appUrl;
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

  /**
   * @param {StringKey} key
   * @param {Record<string, string|number>} [values]
   */
  text(key, values) {
    const text = this.strings[key] ?? this.#english(key);
    return values ? text.replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all)) : text;
  }

  /**
   * @template {PartName} Name
   * @param {Name} name
   * @returns {PartModule<Name>|null} null as long as it is not there
   */
  part(name) {
    return /** @type {PartModule<Name>|null} */ (PARTS[name].module);
  }

  /**
   * @template {PartName} Name
   * @param {Name} name
   * @returns {Promise<PartModule<Name>>} rejects when it cannot be had
   */
  load(name) {
    return /** @type {Promise<PartModule<Name>>} */ (PARTS[name].load());
  }

  /**
   * Have a part there before the button is pressed that needs it: the keys after that are meant for it.
   *
   * @param {PartName} name
   * @returns {Record<string, () => void>} properties of the button
   */
  ahead(name) {
    const load = () => this.load(name).catch(() => {});
    return { onfocus: load, onpointerenter: load };
  }

  /** @param {StringKey} key one that the page has no text for @returns {string} */
  #english(key) {
    const part = this.part("strings");
    if (part) return part.STRINGS[key] ?? "";
    this.load("strings").then(
      ({ STRINGS }) => this.#addStrings(STRINGS),
      (error) => this.dispatchError(error),
    );
    return "";
  }

  /** @param {typeof STRINGS} english */
  #addStrings(english) {
    if (Object.keys(english).every((key) => key in this.strings)) return;
    this.configure(this.options, { ...this.#site, strings: { ...english, ...this.strings } });
  }

  // What can be done

  /** @param {Message} message */
  async send(message) {
    if (this.isReadOnly) return;
    this.log("message.send", { hasAttachments: Boolean(message.attachments?.length) });
    const sent = this.conversation.send(message);
    this.frame.update();
    this.frame.thread.showSent();
    await sent;
  }

  stop() {
    this.log("response.stop");
    this.conversation.stop();
  }

  /** @param {{id: string}|null} [after] the item after which to answer again; what has failed without one */
  async retry(after) {
    this.log("response.retry");
    this.frame.composer.focus();
    await (after ? this.conversation.retryAfter(after.id) : this.conversation.retry());
  }

  /** Have a person of the team answer, in place of the assistant. */
  async askForStaff() {
    this.conversation.stop();
    await this.#act(REQUEST_STAFF);
  }

  /** Have the assistant answer again, and nobody come. */
  async stopWaiting() {
    await this.#act(STOP_WAITING);
  }

  /** @param {string} type */
  async #act(type) {
    this.frame.composer.focus();
    try {
      await this.conversation.customAction(undefined, { type });
    } catch (error) {
      this.report(error);
    }
  }

  newChat({ focus = true } = {}) {
    this.hideHistory();
    this.conversations.startNew();
    this.frame.update();
    if (focus) this.frame.composer.focus();
  }

  /** @param {string} threadId */
  async openThread(threadId, { focus = true } = {}) {
    this.hideHistory();
    this.dispatch("chatkit.thread.load.start", { threadId });
    this.opening = this.conversations.open(threadId);
    const { conversation } = this;
    this.frame.update();
    if (focus) this.frame.composer.focus();
    await this.opening;
    // Another one may have been opened meanwhile.
    if (conversation === this.conversation) {
      this.frame.update();
      this.frame.thread.showNewest();
    }
    this.dispatch("chatkit.thread.load.end", { threadId });
  }

  async showHistory() {
    try {
      await this.frame.loadHistory();
    } catch (error) {
      this.dispatchError(error);
      this.frame.thread.showProblem(this.text("partMissing"));
      return;
    }
    if (this.frame.history?.isOpen) return;
    this.dispatch("chatkit.history.open");
    await this.frame.showHistory();
  }

  hideHistory() {
    if (!this.frame.history?.isOpen) return;
    this.frame.hideHistory();
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

  // What is told

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

  /** @param {unknown} error */
  dispatchError(error) {
    this.dispatch("chatkit.error", { error: error instanceof Error ? error : new Error(String(error)) });
  }

  /** @param {unknown} error of something that was done in the chat, and has no other place to be told at */
  report(error) {
    const message = asText(asObject(error).message);
    this.frame.announce(message || this.text("error"));
    this.frame.thread.showProblem(error instanceof TypeError ? "" : message);
    this.dispatchError(error);
  }

  #listen() {
    /** @type {(type: string, listener: (detail: any) => void) => void} */
    const on = (type, listener) =>
      this.conversations.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
    on("change", () => this.frame.updateSoon());
    on("backgroundchange", () => this.frame.updateHistory());
    on("threadchange", () => {
      this.frame.composer.keep();
      this.dispatch("chatkit.thread.change", { threadId: this.conversation.thread?.id ?? null });
    });
    on("effect", (effect) => this.dispatch("chatkit.effect", effect));
    on("failure", ({ error }) => this.dispatchError(error));
    on("responsestart", () => {
      // A person answers when they do.
      if (!this.conversation.thread?.handler) this.frame.announce(this.text("answering"));
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
    if (failure || (this.conversation.thread?.handler && items.length === answeredFrom)) this.frame.announce("");
    else if (wasStopped) this.frame.announce(this.text("stopped"));
    else {
      const plain = this.part("markdown")?.plainText ?? String;
      const answer = items.slice(answeredFrom).map(itemText).filter(Boolean).map(plain).join("\n");
      this.frame.announce(`${this.text("answerFinished")} ${answer}`);
    }
  }

  #createTransport() {
    return new Transport(/** @type {any} */ (this.options.api) ?? {}, this.#frameId, this.#site.runEvents);
  }
}
