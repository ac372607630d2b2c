/**
 * `<openai-chatkit>`: a chat that needs nothing but this site.
 *
 * Its options, methods and events are those that OpenAI publishes for its element, as far as this one goes; see the
 * types of the npm package `@openai/chatkit`. Beside them it has `strings`.
 */
import { Conversation } from "./conversation.js";
import { h, setAttribute, setText } from "./dom.js";
import { itemText } from "./items.js";
import { STRINGS } from "./strings.js";
import { styleSheet } from "./styles.js";
import { applyTheme } from "./theme.js";
import { Transport } from "./transport.js";
import { ComposerView } from "./views/composer.js";
import { HeaderView } from "./views/header.js";
import { HistoryView } from "./views/history.js";
import { StartView } from "./views/start.js";
import { ThreadView } from "./views/thread.js";

export class ChatKitElement extends HTMLElement {
  #chat = null;
  #strings = STRINGS;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styleSheet()];
  }

  /** The element's texts; those that are left out stay English. Set them before the options. */
  set strings(strings) {
    this.#strings = { ...STRINGS, ...strings };
  }

  get strings() {
    return this.#strings;
  }

  /** Apply a full set of options; nothing of earlier ones is kept. */
  setOptions(options) {
    if (this.#chat) {
      this.#chat.configure(options, this.#strings);
      return;
    }
    this.#chat = new ChatView(this, options, this.#strings);
    this.shadowRoot.replaceChildren(this.#chat.frame);
    this.dispatchEvent(new CustomEvent("chatkit.ready"));
    if (options.initialThread) this.#chat.openThread(options.initialThread, { focus: false });
  }

  async focusComposer() {
    this.#required.composer.focus();
  }

  /** Show another thread, or with null a new chat. */
  async setThreadId(threadId) {
    if (threadId) await this.#required.openThread(threadId, { focus: false });
    else this.#required.newChat({ focus: false });
  }

  /** Send a message as if the user had written it. */
  async sendUserMessage({ text, content, reply, attachments = [], newThread = false, toolChoice, model }) {
    const chat = this.#required;
    if (newThread) chat.newChat({ focus: false });
    const inferenceOptions = {};
    if (toolChoice) inferenceOptions.tool_choice = toolChoice;
    if (model) inferenceOptions.model = model;
    await chat.send({
      content: content ?? [{ type: "input_text", text: text ?? "" }],
      attachments,
      quotedText: reply,
      inferenceOptions,
    });
  }

  async showHistory() {
    await this.#required.showHistory();
  }

  async hideHistory() {
    this.#required.hideHistory();
  }

  /** Read the open thread again from the server. */
  async fetchUpdates() {
    await this.#required.conversation.refresh();
  }

  /** Go on showing the answer of a run, from the URL of its events, once the thread has been loaded. */
  async followRun(url) {
    const chat = this.#required;
    await chat.opening;
    await chat.conversation.follow(url);
  }

  get #required() {
    if (!this.#chat) throw new Error("<openai-chatkit> has no options yet; call setOptions() first.");
    return this.#chat;
  }
}

/** The element's inside: the conversation, its views, and what its buttons do. */
class ChatView {
  /** The loading of the thread that was opened last. */
  opening = Promise.resolve();
  #element;
  #strings;
  #framePending = false;
  #frameId = `frame_${crypto.getRandomValues(new BigUint64Array(2)).join("")}`;

  constructor(element, options, strings) {
    this.#element = element;
    this.transport = new Transport(options.api, this.#frameId);
    this.conversation = new Conversation(this.transport);
    this.header = new HeaderView(this);
    this.start = new StartView(this);
    this.thread = new ThreadView(this, this.start);
    this.composer = new ComposerView(this);
    this.history = new HistoryView(this);
    this.status = h("p", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    this.main = h("div", { class: "main" }, this.header.node, this.thread.node, this.composer.node);
    this.frame = h("section", { class: "frame" }, this.main, this.history.node, this.status);
    this.#listen();
    this.configure(options, strings);
  }

  /** The language of the page around the chat, for dates. */
  get language() {
    return this.options.locale ?? (this.#element.closest("[lang]")?.lang || undefined);
  }

  text(key) {
    return this.#strings[key];
  }

  configure(options, strings) {
    this.options = options;
    this.#strings = strings;
    this.transport = new Transport(options.api, this.#frameId);
    this.conversation.transport = this.transport;
    this.conversation.onClientTool = options.onClientTool;
    applyTheme(this.frame, options.theme);
    setAttribute(this.frame, "aria-label", options.frameTitle ?? "Chat");
    for (const view of this.#views) view.configure();
    this.#update();
  }

  async send(message) {
    this.composer.focus();
    const sent = this.conversation.send(message);
    this.#update();
    this.thread.scrollToEnd();
    await sent;
  }

  stop() {
    this.conversation.stop();
  }

  async retry() {
    this.composer.focus();
    await this.conversation.retry();
  }

  newChat({ focus = true } = {}) {
    this.hideHistory();
    this.conversation.startNew();
    if (focus) this.composer.focus();
  }

  async openThread(threadId, { focus = true } = {}) {
    this.hideHistory();
    this.opening = this.conversation.open(threadId);
    this.#update();
    if (focus) this.composer.focus();
    await this.opening;
    this.#update();
    this.thread.scrollToEnd();
  }

  async showHistory() {
    if (this.history.isOpen) return;
    this.main.inert = true;
    this.#dispatch("chatkit.history.open");
    await this.history.open();
  }

  hideHistory() {
    if (!this.history.isOpen) return;
    this.history.close();
    this.main.inert = false;
    this.header.history.focus();
    this.#dispatch("chatkit.history.close");
  }

  get #views() {
    return [this.header, this.start, this.thread, this.composer, this.history];
  }

  #listen() {
    const on = (type, listener) => this.conversation.addEventListener(type, ({ detail }) => listener(detail));
    on("change", () => this.#updateSoon());
    on("threadchange", ({ threadId }) => this.#dispatch("chatkit.thread.change", { threadId }));
    on("loadstart", ({ threadId }) => this.#dispatch("chatkit.thread.load.start", { threadId }));
    on("loadend", ({ threadId }) => this.#dispatch("chatkit.thread.load.end", { threadId }));
    on("effect", (effect) => this.#dispatch("chatkit.effect", effect));
    on("failure", ({ error }) => this.#dispatch("chatkit.error", { error }));
    on("responsestart", () => {
      setText(this.status, this.text("answering"));
      this.#dispatch("chatkit.response.start");
    });
    on("responseend", () => {
      this.#announceAnswer();
      this.#dispatch("chatkit.response.end");
    });
  }

  /** Read the answer out once it is whole; a text that grows word by word cannot be listened to. */
  #announceAnswer() {
    const { items, failure, wasStopped } = this.conversation;
    // The failure is an alert of its own.
    if (failure) setText(this.status, "");
    else if (wasStopped) setText(this.status, this.text("stopped"));
    else {
      const asked = items.findLastIndex((item) => item.type === "user_message");
      const answer = items.slice(asked + 1).map(itemText).filter(Boolean).join("\n");
      setText(this.status, `${this.text("answerFinished")} ${answer}`);
    }
  }

  /** One update for all the events that arrive within a frame. */
  #updateSoon() {
    if (this.#framePending) return;
    this.#framePending = true;
    // Frames stand still in a hidden tab, and the timer does not.
    const update = () => {
      if (this.#framePending) this.#update();
    };
    requestAnimationFrame(update);
    setTimeout(update, 250);
  }

  #update() {
    this.#framePending = false;
    this.start.update();
    this.header.update();
    this.thread.update();
    this.composer.update();
  }

  #dispatch(type, detail) {
    this.#element.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
