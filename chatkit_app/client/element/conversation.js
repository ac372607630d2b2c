/** One conversation: its thread, its items and what is going on in it, changed only here. */
import { Answer } from "./answer.js";
import { asItem, asItems, isVisible, updateItem } from "./items.js";
import { TransportError } from "./transport.js";
import { asLabel, asList, asObject, asText } from "./values.js";
/** @import {AnyItem} from "./items.js" */
/** @import {Action, StreamingParams, ThreadMetadata, ToolChoice, UserMessageContent} from "./protocol.js" */
/** @import {Stream, Transport} from "./transport.js" */

const PAGE_SIZE = 100;
/**
 * @typedef {object} Message
 * @property {UserMessageContent[]} content
 * @property {{id: string}[]} [attachments]
 * @property {string} [quotedText]
 * @property {{tool_choice?: ToolChoice, model?: string}} [inferenceOptions]
 */

/**
 * @typedef {object} Failure
 * @property {string} message what the server said, or ""
 * @property {boolean} network there was no answer
 * @property {boolean} loading the thread could not be read
 * @property {boolean} canRetry
 */

/**
 * Dispatches `change` after every change, and
 *
 * - `threadchange` when there is a thread, or another one,
 * - `responsestart` and `responseend`,
 * - `effect` (`detail.name`, `detail.data`) for the page,
 * - `failure` (`detail.error`) for the page's logs.
 */
export class Conversation extends EventTarget {
  /** @type {ThreadMetadata|null} the thread without its items; null in a new chat */
  thread = null;
  /** @type {AnyItem[]} those that have been loaded, up to the newest */
  items = [];
  /** @type {"idle"|"loading"|"answering"} */
  phase = "idle";
  /** @type {{text: string, icon: unknown}|null} what the assistant says it is doing */
  progress = null;
  /** @type {any[]} */
  notices = [];
  /** @type {Failure|null} */
  failure = null;
  canStop = false;
  /** Somebody sees it: only then what has failed is done again by itself. */
  isShown = true;
  wasStopped = false;
  /** Also what users do not see, for those who look after their conversations. */
  showsAll = false;
  /** There are items before those that have been loaded. */
  hasOlder = false;
  /** How many items the answer began with: those after them belong to it. */
  answeredFrom = 0;
  /** @type {((call: {name: string, params: any}) => unknown)|undefined} the page's tools */
  onClientTool;
  /** @type {Transport} */
  transport;

  /** @type {Answer|null} */
  #answer = null;
  /** @type {any} the answer's last call of one of the page's tools */
  #toolCall = null;
  /** @type {(() => Promise<void>)|null} what to do again after a failure */
  #again = null;
  /** The answer has changed something in the thread. */
  #hasBegun = false;
  /** @type {string|null} the id of the oldest item that the server has sent */
  #oldest = null;
  /** @type {Promise<void>|null} */
  #loadingOlder = null;
  #localIds = 0;
  /** @type {{run: string|null}|null} the answer that was left before its end */
  #left = null;

  /** @param {Transport} transport */
  constructor(transport) {
    super();
    this.transport = transport;
  }

  get isNew() {
    return this.thread === null && this.items.length === 0 && this.phase === "idle" && !this.failure;
  }

  get isReconnecting() {
    return this.#answer?.isReconnecting ?? false;
  }

  /** What is written goes somewhere: into this thread, once it has been loaded, or into a new one. */
  get canSend() {
    return this.phase === "idle" && !(this.failure?.loading && this.failure.canRetry);
  }

  get isWritable() {
    return (asObject(this.thread?.status).type ?? "active") === "active";
  }

  /**
   * Load a thread: the newest of its items.
   *
   * @param {string} threadId
   */
  async open(threadId) {
    this.#again = () => this.open(threadId);
    this.#resetTurn();
    this.phase = "loading";
    this.#changed();
    try {
      const { thread, items } = await this.#load(threadId);
      this.#setThread(thread);
      this.items = items;
    } catch (error) {
      this.#fail(error, { loading: true });
    }
    this.phase = "idle";
    this.#changed();
  }

  /** Read the thread again, for what was changed behind our back. */
  async refresh() {
    if (!this.thread || this.phase !== "idle") return;
    const olderThanPage = { oldest: this.#oldest, hasOlder: this.hasOlder };
    const { thread, items: known } = await this.#load(this.thread.id);
    // An answer that has begun meanwhile knows better.
    if (this.phase !== "idle") return;
    this.#setThread(thread);
    const items = [...known, ...this.items.filter(({ isLocal }) => isLocal)];
    const overlap = this.items.findIndex((item) => item.id === items[0]?.id);
    if (overlap > 0) {
      this.items = [...this.items.slice(0, overlap), ...items];
      this.#oldest = olderThanPage.oldest;
      this.hasOlder = olderThanPage.hasOlder;
    } else this.items = items;
    this.#changed();
  }

  /** Load the page of items before the oldest. */
  async loadOlder() {
    if (!this.hasOlder || !this.thread) return;
    this.#loadingOlder ??= this.#loadPage(this.thread.id, this.#oldest ?? undefined)
      .then((items) => {
        const known = new Set(this.items.map(({ id }) => id));
        const older = items.filter(({ id }) => !known.has(id));
        this.items = [...older, ...this.items];
        this.answeredFrom += older.length;
        this.#changed();
      })
      .finally(() => (this.#loadingOlder = null));
    await this.#loadingOlder;
  }

  /**
   * Send a message, in the thread or as the first of a new one. Resolves when the answer has ended.
   *
   * @param {Message} message
   */
  async send({ content, attachments = [], quotedText, inferenceOptions = {} }) {
    while (this.phase !== "idle") await this.#nextChange();
    if (!this.canSend) await this.#again?.();
    if (!this.canSend) throw new Error("The conversation could not be loaded; nothing was sent.");
    /** @type {StreamingParams["threads.create"]["input"]} */
    const input = { content, attachments: attachments.map(({ id }) => id), inference_options: inferenceOptions };
    if (quotedText) input.quoted_text = quotedText;
    this.items = [
      ...this.items,
      {
        id: `local-${++this.#localIds}`,
        type: "user_message",
        created_at: new Date().toISOString(),
        isLocal: true,
        content,
        attachments,
        quoted_text: quotedText,
      },
    ];
    const params = { input };
    await this.#ask((signal) =>
      this.thread
        ? this.transport.stream("threads.add_user_message", { thread_id: this.thread.id, ...params }, signal)
        : this.transport.stream("threads.create", params, signal),
    );
  }

  /**
   * @param {string|undefined} itemId the widget's, if it comes from one
   * @param {Action} action
   */
  async customAction(itemId, action) {
    while (this.phase !== "idle") await this.#nextChange();
    const params = { thread_id: this.#threadId, item_id: itemId, action };
    await this.#ask((signal) => this.transport.stream("threads.custom_action", params, signal));
  }

  /**
   * An action whose answer is its own widget and nothing else.
   *
   * @param {string} itemId
   * @param {Action} action
   */
  async syncAction(itemId, action) {
    const params = { thread_id: this.#threadId, item_id: itemId, action };
    const { updated_item: item } = await this.transport.request("threads.sync_custom_action", params);
    this.#putItem(item);
    this.#changed();
  }

  /**
   * @param {string} itemId
   * @param {StreamingParams["threads.add_structured_input"]["input"]} input
   */
  async submitInputs(itemId, input) {
    while (this.phase !== "idle") await this.#nextChange();
    const params = { thread_id: this.#threadId, item_id: itemId, input };
    await this.#ask((signal) => this.transport.stream("threads.add_structured_input", params, signal));
  }

  /**
   * @param {{id: string}[]} items
   * @param {"positive"|"negative"} kind
   */
  async feedback(items, kind) {
    const ids = items.map(({ id }) => id);
    await this.transport.request("items.feedback", { thread_id: this.#threadId, item_ids: ids, kind });
    this.items = this.items.map((item) => (ids.includes(item.id) ? { ...item, feedback: kind } : item));
    this.#changed();
  }

  /** Stop the answer that is being written; what there is of it stays. */
  stop() {
    this.#answer?.stop();
  }

  /** Read the answer no further; it is written without us. */
  leave() {
    this.#answer?.leave();
  }

  /** Go on with the answer that was left, or with what has become of it. */
  async resume() {
    const left = this.#left;
    this.#left = null;
    if (left) await this.follow(left.run);
  }

  /** Do again what has just failed. */
  async retry() {
    if (this.phase !== "idle" || !this.failure) return;
    const question = this.items.findLast((item) => item.type === "user_message");
    // What has not even begun, an action for instance, is not to be had by another answer to the question before it.
    if (this.thread && question && !question.isLocal && this.#hasBegun) await this.retryAfter(question.id);
    else {
      const last = this.items.findLastIndex(({ isLocal }) => isLocal);
      if (last !== -1) this.items = this.items.with(last, { ...this.items[last], isUnsent: false });
      await this.#again?.();
    }
  }

  /**
   * Answer again what came after an item.
   *
   * @param {string} itemId
   */
  async retryAfter(itemId) {
    while (this.phase !== "idle") await this.#nextChange();
    const params = { thread_id: this.#threadId, item_id: itemId };
    const index = this.items.findIndex(({ id }) => id === itemId);
    if (index !== -1) this.items = this.items.slice(0, index + 1);
    await this.#ask((signal) => this.transport.stream("threads.retry_after_item", params, signal));
  }

  /**
   * Go on with an answer whose stream was cut off, from its first event.
   *
   * @param {string|null} run null for one of which the id is not known: the thread has what there is of it
   */
  async follow(run) {
    if (this.phase !== "idle") return;
    await this.#read(async (signal) => {
      const events = run && (await this.transport.follow(run, signal));
      return events ? { run, events } : null;
    });
    // What was done to the thread since the answer: feedback, another title.
    await this.refresh().catch(() => {});
  }

  /** @param {ThreadMetadata} thread what has become of the thread elsewhere */
  updateThread(thread) {
    this.#setThread(thread);
    this.#changed();
  }

  get #threadId() {
    if (!this.thread) throw new Error("There is no conversation yet; send a message first.");
    return this.thread.id;
  }

  /** @param {(signal: AbortSignal) => Promise<Stream>} request */
  async #ask(request) {
    this.#again = () => this.#ask(request);
    await this.#read(request);
  }

  /** @param {(signal: AbortSignal) => Promise<Stream|null>} open */
  async #read(open) {
    let hasStarted = false;
    const answer = new Answer(this.transport, {
      onEvent: (event) => {
        if (!hasStarted) this.#emit("responsestart");
        hasStarted = true;
        this.#apply(event);
      },
      onChange: () => this.#changed(),
    });
    this.#answer = answer;
    this.#toolCall = null;
    this.#resetTurn();
    this.answeredFrom = this.items.length;
    this.phase = "answering";
    this.#changed();
    await answer.read(open);
    if (answer.wasLeft) {
      this.#left = { run: answer.run };
      this.#answer = null;
      this.phase = "idle";
      this.#changed();
      return;
    }
    const error = answer.isMissed ? await this.#reloadAnswer(answer.error) : answer.error;
    const isOver = answer.wasStopped || error || this.failure || !this.onClientTool || !this.#toolCall;
    this.#answer = null;
    this.progress = null;
    this.canStop = false;
    if (isOver) this.phase = "idle";
    if (answer.wasStopped) this.wasStopped = true;
    else if (error) this.#fail(error);
    if (this.failure || this.wasStopped) this.#markUnsent();
    this.#changed();
    if (hasStarted) this.#emit("responseend", { isOver: Boolean(isOver) });
    if (!isOver) await this.#callTool(this.#toolCall);
  }

  /**
   * An answer that nobody can follow any more is in the thread, or it is lost.
   *
   * @param {unknown} error
   */
  async #reloadAnswer(error) {
    if (!this.thread) return error;
    try {
      const { thread, items } = await this.#load(this.thread.id);
      this.#setThread(thread);
      this.items = items;
      return items.at(-1)?.type === "user_message" ? error : null;
    } catch {
      return error;
    }
  }

  /**
   * Let the page do what the assistant asked of it, and go on with what came of it.
   *
   * @param {any} item
   */
  async #callTool(item) {
    let params;
    try {
      const result = (await this.onClientTool?.({ name: asText(item.name), params: asObject(item.arguments) })) ?? {};
      params = { thread_id: this.#threadId, result };
    } catch (error) {
      this.phase = "idle";
      this.#fail(error);
      this.#changed();
      return;
    }
    await this.#ask((signal) => this.transport.stream("threads.add_client_tool_output", params, signal));
  }

  /** @param {any} event */
  #apply(event) {
    this.#hasBegun ||= asText(event?.type).startsWith("thread.item.");
    switch (event?.type) {
      case "thread.created":
      case "thread.updated":
        this.#setThread(event.thread);
        break;
      case "thread.item.added":
      case "thread.item.done":
      case "thread.item.replaced":
        if (event.type === "thread.item.done" && event.item?.type === "client_tool_call") this.#toolCall = event.item;
        this.#putItem(event.item);
        break;
      case "thread.item.updated":
        this.items = this.items.map((item) => (item.id === event.item_id ? updateItem(item, event.update) : item));
        break;
      case "thread.item.removed":
        this.items = this.items.filter((item) => item.id !== event.item_id);
        break;
      case "progress_update":
        this.progress = { text: asLabel(event.text), icon: event.icon };
        break;
      case "stream_options":
        this.canStop = asObject(event.stream_options).allow_cancel === true;
        break;
      case "client_effect":
        this.#emit("effect", { name: asText(event.name), data: asObject(event.data) });
        break;
      case "notice":
        // Of an answer that is read again, they are there already.
        if (!this.notices.some((notice) => JSON.stringify(notice) === JSON.stringify(event))) {
          this.notices = [...this.notices, event];
        }
        break;
      case "error":
        this.#setFailure({ message: asText(event.message), canRetry: event.allow_retry === true });
        break;
    }
    this.#changed();
  }

  /** @param {unknown} value */
  #putItem(value) {
    const item = asItem(value);
    if (!item || !this.#shows(item)) return;
    // What could not be sent before stays, and says so.
    if (item.type === "user_message") this.items = this.items.filter((other) => !other.isLocal || other.isUnsent);
    else this.progress = null;
    const index = this.items.findIndex((other) => other.id === item.id);
    this.items = index === -1 ? [...this.items, item] : this.items.with(index, item);
    // An answer that is read again has its own items behind the question already.
    const place = index === -1 ? this.items.length : index + 1;
    if (item.type === "user_message") this.answeredFrom = Math.max(this.answeredFrom, place);
  }

  /**
   * A thread and the newest of its items.
   *
   * @param {string} threadId
   */
  async #load(threadId) {
    const { items: first, ...thread } = asObject(
      await this.transport.request("threads.get_by_id", { thread_id: threadId }),
    );
    // A short thread comes whole; of a long one these are the oldest.
    const items = first?.has_more === true ? await this.#loadPage(threadId) : this.#shown(first?.data);
    if (first?.has_more !== true) this.hasOlder = false;
    return { thread, items };
  }

  /**
   * @param {string} threadId
   * @param {string} [after] the id of the item before which the page ends
   */
  async #loadPage(threadId, after) {
    const params = { thread_id: threadId, limit: PAGE_SIZE, order: /** @type {const} */ ("desc"), after };
    const page = asObject(await this.transport.request("items.list", params));
    const data = asList(page.data);
    this.#oldest = asItem(data.at(-1))?.id ?? null;
    this.hasOlder = page.has_more === true && this.#oldest !== null;
    return this.#shown(data.reverse());
  }

  /** @param {AnyItem} item */
  #shows(item) {
    return this.showsAll || isVisible(item);
  }

  /** @param {unknown} values */
  #shown(values) {
    return asItems(values).filter((item) => this.#shows(item));
  }

  /** @param {unknown} value */
  #setThread(value) {
    const { items: _, ...thread } = asObject(value);
    if (typeof thread.id !== "string") return;
    const idBefore = this.thread?.id;
    this.thread = /** @type {ThreadMetadata} */ (thread);
    if (thread.id !== idBefore) this.#emit("threadchange");
  }

  #markUnsent() {
    this.items = this.items.map((item) => (item.isLocal && !item.isUnsent ? { ...item, isUnsent: true } : item));
  }

  #resetTurn() {
    this.#hasBegun = false;
    this.progress = null;
    this.notices = [];
    this.failure = null;
    this.wasStopped = false;
  }

  /**
   * @param {unknown} error
   * @param {{loading?: boolean}} [options]
   */
  #fail(error, { loading = false } = {}) {
    const known = error instanceof TransportError ? error : null;
    const network = known?.status === 0;
    // What is missing or forbidden will be so the next time.
    const canRetry = !known || network || known.status >= 500 || known.status === 429;
    this.#setFailure({ message: known ? known.message : "", network, loading, canRetry }, error);
    const retry = () => this.isShown && this.failure?.network && this.retry();
    if (network) addEventListener("online", retry, { once: true });
  }

  /**
   * @param {Partial<Failure> & {message: string}} failure
   * @param {unknown} [error]
   */
  #setFailure(failure, error = new Error(failure.message)) {
    this.failure = { network: false, loading: false, canRetry: false, ...failure };
    this.#emit("failure", { error });
  }

  #changed() {
    this.#emit("change");
  }

  #nextChange() {
    return new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
  }

  /**
   * @param {string} type
   * @param {object} [detail]
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
