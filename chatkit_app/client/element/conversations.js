/** The conversation that is shown, and those that are still being answered while another one is. */
import { Conversation } from "./conversation.js";
/** @import {ThreadMetadata} from "./protocol.js" */
/** @import {Transport} from "./transport.js" */

const RELAYED = ["change", "threadchange", "responsestart", "responseend", "effect", "failure"];

/** Dispatches the events of the conversation that is shown, and `backgroundchange` for the others. */
export class Conversations extends EventTarget {
  /** @type {Set<Conversation>} */
  #background = new Set();
  /** @type {((call: {name: string, params: any}) => unknown)|undefined} */
  #onClientTool;
  #showsAll = false;
  #transport;
  #readable;
  #current;

  /**
   * @param {Transport} transport
   * @param {Promise<unknown>} [readable] what the first look at a thread waits for
   */
  constructor(transport, readable) {
    super();
    this.#transport = transport;
    this.#readable = readable;
    this.#current = this.#create();
  }

  get current() {
    return this.#current;
  }

  /**
   * @param {Transport} transport
   * @param {((call: {name: string, params: any}) => unknown)} [onClientTool]
   * @param {boolean} [showsAll] what users do not see too
   */
  configure(transport, onClientTool, showsAll = false) {
    this.#transport = transport;
    this.#onClientTool = onClientTool;
    this.#showsAll = showsAll;
    for (const conversation of [this.#current, ...this.#background]) this.#equip(conversation);
  }

  /** Show a new conversation. An answer that is being written goes on, unseen. */
  startNew() {
    this.#show(this.#create());
  }

  /**
   * Show a thread: as it is being answered, or else as the server has it.
   *
   * @param {string} threadId
   */
  async open(threadId) {
    const answering = [this.#current, ...this.#background].find(
      ({ thread, phase }) => thread?.id === threadId && phase === "answering",
    );
    if (answering) {
      this.#show(answering);
      return;
    }
    const { thread } = this.#current;
    const conversation = this.#create();
    this.#show(conversation, { isOpening: true });
    await conversation.open(threadId);
    if (thread && !conversation.thread && conversation === this.#current) this.#relay(new CustomEvent("threadchange"));
  }

  /** Read no answer any more; the server goes on. */
  leave() {
    this.#current.isShown = false;
    for (const conversation of [this.#current, ...this.#background]) conversation.leave();
  }

  /** Go on with the answers that were left. */
  resume() {
    this.#current.isShown = true;
    for (const conversation of [this.#current, ...this.#background]) conversation.resume();
  }

  /** There is a connection again. */
  tryNow() {
    for (const conversation of [this.#current, ...this.#background]) conversation.tryNow();
  }

  /** @param {ThreadMetadata} thread what has become of it elsewhere */
  updateThread(thread) {
    for (const conversation of [this.#current, ...this.#background]) {
      if (conversation.thread?.id === thread.id) conversation.updateThread(thread);
    }
  }

  /**
   * @param {string} threadId
   * @returns {boolean} whether it is being answered at the moment
   */
  isAnsweringIn(threadId) {
    return [this.#current, ...this.#background].some(
      ({ thread, phase }) => thread?.id === threadId && phase === "answering",
    );
  }

  /**
   * @param {Conversation} conversation
   * @param {{isOpening?: boolean}} [options] opening is what will tell of its thread itself
   */
  #show(conversation, { isOpening = false } = {}) {
    const before = this.#current;
    if (before.phase === "answering") this.#background.add(before);
    // Also when it is the one that has been shown all along.
    this.#background.delete(conversation);
    this.#current = conversation;
    before.isShown = false;
    conversation.isShown = true;
    if (before.thread?.id !== conversation.thread?.id && !isOpening) this.#relay(new CustomEvent("threadchange"));
    this.#relay(new CustomEvent("change"));
  }

  #create() {
    const conversation = new Conversation(this.#transport, this.#readable);
    this.#equip(conversation);
    for (const type of RELAYED) {
      conversation.addEventListener(type, (event) => {
        if (conversation === this.#current) this.#relay(/** @type {CustomEvent} */ (event));
        else if (type === "change") this.#onBackgroundChange(conversation);
      });
    }
    return conversation;
  }

  /** @param {Conversation} conversation */
  #equip(conversation) {
    conversation.transport = this.#transport;
    conversation.onClientTool = this.#onClientTool;
    conversation.showsAll = this.#showsAll;
  }

  /** @param {Conversation} conversation */
  #onBackgroundChange(conversation) {
    // What was sent while it was being loaded. Of what has ended the server knows all there is to know.
    if (conversation.phase === "answering") this.#background.add(conversation);
    else this.#background.delete(conversation);
    this.dispatchEvent(new CustomEvent("backgroundchange"));
  }

  /** @param {CustomEvent} event */
  #relay({ type, detail }) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
