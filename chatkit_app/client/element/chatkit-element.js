/**
 * `<openai-chatkit>`: a chat that needs nothing but this site.
 *
 * Its options, methods and events are those that OpenAI publishes for its element: see the types of the npm package
 * `@openai/chatkit`. Beside them it has `strings`, `runEvents`, `appUrl`, `offersStaff`, `drafts`,
 * `followRun()`, `threadVersion`, `isWithStaff`, `catchUp()`, `tryNow()` and `showTyping()`, which the page's bootstrap uses, and the
 * attribute `readonly`, for conversations that are only to be read: it shows what users do not see too, if the server sends it, and gives every
 * item a slot `item-<id>` for what the page says of it.
 */
import { Chat } from "./chat.js";
import { loadAtLeisure } from "./parts.js";
import { styleSheet } from "./style-sheet.js";
/** @import {Attachment, ChatKitOptions, OpenAIChatKit, ToolChoice, UserMessageContent} from "@openai/chatkit" */
/** @import {STRINGS} from "./strings.js" */

/** @implements {OpenAIChatKit} */
export class ChatKitElement extends HTMLElement {
  static observedAttributes = ["readonly"];

  /** @type {((run: string) => string)|null} the URL of a run's events: with it, a broken connection is taken up again */
  runEvents = null;
  /** @type {string|null} beneath which the app has more than the protocol: a list of conversations with a search */
  appUrl = null;
  /** Users may ask for a person of the team. Set it before the options. */
  offersStaff = false;
  /** @type {import("../drafts.js").Drafts|null} where what is not sent yet is kept. Set it before the options. */
  drafts = null;
  /** @type {Chat|null} */
  #chat = null;
  /** @type {Partial<typeof STRINGS>} */
  #strings = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styleSheet()];
    // Until there are options, what the page has put inside shows.
    root.append(document.createElement("slot"));
  }

  connectedCallback() {
    this.#chat?.resume();
  }

  disconnectedCallback() {
    // Not when it is only moved to another place.
    queueMicrotask(() => !this.isConnected && this.#chat?.leave());
  }

  /**
   * @param {string} _
   * @param {string|null} before
   * @param {string|null} now
   */
  attributeChangedCallback(_, before, now) {
    if ((before === null) !== (now === null)) this.#chat?.reconsider();
  }

  /** The element's texts; those that are left out stay English. Set them before the options. */
  set strings(/** @type {Partial<typeof STRINGS>} */ strings) {
    this.#strings = strings;
  }

  get strings() {
    return this.#strings;
  }

  /**
   * Apply a full set of options; nothing of earlier ones is kept.
   *
   * @param {ChatKitOptions} options
   */
  setOptions(options) {
    const { runEvents, appUrl, offersStaff, drafts } = this;
    const site = { strings: this.#strings, runEvents, appUrl, offersStaff, drafts };
    if (this.#chat) {
      this.#chat.configure(options, site);
      return;
    }
    const chat = new Chat(this, options, site);
    this.#chat = chat;
    this.shadowRoot?.replaceChildren(chat.frame.node);
    // Listeners that are added right after the options must not miss it.
    chat.opening = Promise.resolve().then(() => {
      chat.dispatch("chatkit.ready");
      if (options.initialThread) return chat.openThread(options.initialThread, { focus: false });
      chat.frame.composer.keep();
    });
    chat.opening.finally(loadAtLeisure);
  }

  async focusComposer() {
    this.#required.frame.composer.focus();
  }

  /**
   * Show another thread, or with null a new chat.
   *
   * @param {string|null} threadId
   */
  async setThreadId(threadId) {
    if (threadId) await this.#required.openThread(threadId, { focus: false });
    else this.#required.newChat({ focus: false });
  }

  /**
   * Send a message as if the user had written it.
   *
   * @param {{text?: string, content?: UserMessageContent[], reply?: string, attachments?: Attachment[],
   *   newThread?: boolean, toolChoice?: ToolChoice, model?: string}} message
   */
  async sendUserMessage({ text, content, reply, attachments = [], newThread = false, toolChoice, model }) {
    const chat = this.#required;
    if (newThread) chat.newChat({ focus: false });
    await chat.send({
      content: content ?? [{ type: "input_text", text: text ?? "" }],
      attachments,
      quotedText: reply,
      inferenceOptions: { ...(toolChoice && { tool_choice: toolChoice }), ...(model && { model }) },
    });
  }

  /**
   * @param {Parameters<OpenAIChatKit["setComposerValue"]>[0]} value
   */
  async setComposerValue(value) {
    await this.#required.frame.composer.setValue(value);
  }

  /**
   * @param {{type: string, payload?: Record<string, unknown>}} action
   * @param {string} [itemId] the widget item that it has to do with
   */
  async sendCustomAction({ type, payload }, itemId) {
    const action = payload === undefined ? { type } : { type, payload };
    const { conversation, isReadOnly } = this.#required;
    if (!isReadOnly) await conversation.customAction(itemId, action);
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

  /** The version of the open thread, as far as it is known here. */
  get threadVersion() {
    return this.#chat?.conversation.version ?? 0;
  }

  /** A person answers in the open thread, or is waited for. */
  get isWithStaff() {
    return Boolean(this.#chat?.conversation.thread?.handler);
  }

  /**
   * Show what has changed elsewhere in the open thread.
   *
   * @param {(thread: string, after: number) => Promise<any>} read what the server says has changed after a version
   */
  async catchUp(read) {
    await this.#required.conversation.catchUp(read);
  }

  /** The server is there again: what waits for it waits no longer. */
  tryNow() {
    this.#chat?.conversations.tryNow();
  }

  /** @param {string} name of the person who types at the moment */
  showTyping(name) {
    this.#required.frame.thread.state.showTyping(name);
  }

  /**
   * Go on showing the answer of a run, once the thread has been loaded.
   *
   * @param {string} run
   */
  async followRun(run) {
    const chat = this.#required;
    await chat.opening;
    // Unless somebody has gone to another conversation meanwhile.
    if (chat.conversation.thread?.id === chat.options.initialThread) await chat.conversation.follow(run);
  }

  get #required() {
    if (!this.#chat) throw new Error("<openai-chatkit> has no options yet; call setOptions() first.");
    return this.#chat;
  }
}
