/** What is around the items of a conversation: the chat, as their views see it. */
import { isLoadable } from "./urls.js";
/** @import {Entity, Widgets} from "@openai/chatkit" */
/** @import {Chat} from "./chat.js" */
/** @import {Host} from "./host.js" */
/** @import {AnyItem} from "./items.js" */
/** @import {ActionConfig, FeedbackKind, StructuredInputSubmission} from "./protocol.js" */

/** @implements {Host} */
export class ItemHost {
  #chat;
  #isForReading;

  /** @param {Chat} chat @param {boolean} [isForReading] what is around items that are there to be read */
  constructor(chat, isForReading = false) {
    this.#chat = chat;
    this.#isForReading = isForReading;
    this.text = chat.text.bind(chat);
    this.load = chat.load.bind(chat);
    this.part = chat.part.bind(chat);
  }

  get language() {
    return this.#chat.language;
  }

  get options() {
    return this.#chat.options;
  }

  get isReadOnly() {
    return this.#isForReading || this.#chat.isReadOnly;
  }

  /** The same for items that are there to be read. */
  forReading() {
    return new ItemHost(this.#chat, true);
  }

  get isClosed() {
    return !this.#chat.conversation.isWritable;
  }

  /** A person answers, or is waited for. */
  get isWithStaff() {
    return Boolean(this.#chat.conversation.thread?.handler);
  }

  get isAnswering() {
    return this.#chat.conversation.phase === "answering";
  }

  /** @param {string} url */
  mayLoad(url) {
    return isLoadable(url, this.#chat.conversation.thread?.allowed_image_domains);
  }

  /**
   * @param {ActionConfig} action
   * @param {AnyItem} item the widget's
   */
  async act({ type, payload, handler, streaming }, item) {
    const { conversation, isReadOnly, options } = this.#chat;
    if (isReadOnly) return;
    const action = payload === undefined ? { type } : { type, payload };
    this.#chat.log("widget.action", { type });
    try {
      if (handler === "client") await options.widgets?.onAction?.(action, { id: item.id, widget: item.widget });
      else if (streaming === false) await conversation.syncAction(item.id, action);
      else await conversation.customAction(item.id, action);
    } catch (error) {
      this.#chat.report(error);
    }
  }

  askAgain() {
    this.#chat.frame.composer.update();
  }

  /**
   * @param {{id: string}} item
   * @param {StructuredInputSubmission} input
   */
  async submitInputs(item, input) {
    await this.#chat.conversation.submitInputs(item.id, input);
  }

  /**
   * @param {{id: string}[]} items
   * @param {FeedbackKind} kind
   */
  async feedback(items, kind) {
    this.#chat.log("message.feedback", { kind });
    await this.#chat.conversation.feedback(items, kind);
  }

  /** @param {{id: string}|null} after */
  async retry(after) {
    await this.#chat.retry(after);
  }

  /** @param {string} text */
  quote(text) {
    const { composer } = this.#chat.frame;
    composer.setReply(text);
    composer.focus();
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
      this.#chat.dispatchError(error);
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
    this.#chat.dispatch("chatkit.deeplink", { name, data: Object.fromEntries(searchParams) });
  }

  /** @param {string} text */
  announce(text) {
    this.#chat.frame.announce(text);
  }
}
