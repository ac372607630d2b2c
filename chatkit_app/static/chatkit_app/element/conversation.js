/** The conversation that is open: its thread, its items and what is going on, changed only here. */
import { isVisible, updateItem } from "./items.js";
import { TransportError } from "./transport.js";

const PAGE_SIZE = 100;

/**
 * Dispatches `change` after every change, and
 *
 * - `threadchange` (`detail.threadId`), `loadstart` and `loadend` (`detail.threadId`),
 * - `responsestart` and `responseend`,
 * - `effect` (`detail.name`, `detail.data`) for the page,
 * - `failure` (`detail.error`) for the page's logs.
 */
export class Conversation extends EventTarget {
  /** @type {object|null} the thread without its items; null in a new chat */
  thread = null;
  items = [];
  /** @type {"idle"|"loading"|"answering"} */
  phase = "idle";
  /** @type {{text: string, icon?: string}|null} what the assistant says it is doing */
  progress = null;
  notices = [];
  /** @type {{message: string, network: boolean, loading: boolean, canRetry: boolean}|null} */
  failure = null;
  canStop = false;
  wasStopped = false;
  /** @type {((call: {name: string, params: object}) => unknown)|undefined} the page's tools */
  onClientTool;

  #transport;
  #turn = null;
  #lastRequest = null;
  /** Grows with every thread that is opened, so that late answers about another one are dropped. */
  #visit = 0;
  #localIds = 0;

  constructor(transport) {
    super();
    this.#transport = transport;
  }

  set transport(transport) {
    this.#transport = transport;
  }

  get isNew() {
    return this.thread === null && this.items.length === 0 && this.phase === "idle" && !this.failure;
  }

  get isWritable() {
    return (this.thread?.status?.type ?? "active") === "active";
  }

  /** Leave the open thread for a new one. An answer that is being written goes on, unseen. */
  startNew() {
    const hadThread = this.thread !== null;
    this.#leave();
    this.#changed();
    if (hadThread) this.#emit("threadchange", { threadId: null });
  }

  /** Open a thread, all of it. */
  async open(threadId) {
    const idBefore = this.thread?.id;
    this.#leave();
    const visit = this.#visit;
    this.phase = "loading";
    this.#lastRequest = { open: threadId };
    this.#changed();
    this.#emit("loadstart", { threadId });
    try {
      const { thread, items } = await this.#load(threadId);
      if (visit !== this.#visit) return;
      this.#setThread(thread, idBefore);
      this.items = items;
      this.phase = "idle";
    } catch (error) {
      if (visit !== this.#visit) return;
      this.phase = "idle";
      this.#fail(error, { loading: true });
    }
    this.#changed();
    this.#emit("loadend", { threadId });
  }

  /** Read the open thread again, for what was changed behind our back. */
  async refresh() {
    if (!this.thread || this.phase !== "idle") return;
    const visit = this.#visit;
    const { thread, items } = await this.#load(this.thread.id);
    if (visit !== this.#visit || this.phase !== "idle") return;
    this.#setThread(thread);
    this.items = items;
    this.#changed();
  }

  /** Send a message, in the open thread or as the first of a new one. Resolves when the answer has ended. */
  async send({ content, attachments = [], quotedText, inferenceOptions = {} }) {
    if (this.phase !== "idle") return;
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
    if (this.thread) await this.#answer("threads.add_user_message", { thread_id: this.thread.id, input });
    else await this.#answer("threads.create", { input });
  }

  /** Stop the answer that is being written; what there is of it stays. */
  stop() {
    this.#turn?.controller.abort();
  }

  /** Do again what has just failed. */
  async retry() {
    if (this.phase !== "idle" || !this.failure) return;
    const { open, type, params } = this.#lastRequest ?? {};
    if (open) {
      await this.open(open);
      return;
    }
    const asked = this.items.findLastIndex((item) => item.type === "user_message");
    const question = this.items[asked];
    if (this.thread && question && !question.isLocal) {
      this.items = this.items.slice(0, asked + 1);
      await this.#answer("threads.retry_after_item", { thread_id: this.thread.id, item_id: question.id });
    } else if (type) await this.#answer(type, params);
  }

  /** Go on with an answer whose stream was cut off, from its first event. */
  async follow(url) {
    if (this.phase !== "idle") return;
    this.#lastRequest = null;
    await this.#read((signal) => this.#transport.follow(url, signal));
  }

  async #answer(type, params) {
    this.#lastRequest = { type, params };
    await this.#read((signal) => this.#transport.stream(type, params, signal));
  }

  async #read(stream) {
    const turn = { controller: new AbortController(), visit: this.#visit, threadId: this.thread?.id };
    this.#turn = turn;
    this.#resetTurn();
    this.phase = "answering";
    this.#changed();
    this.#emit("responsestart");
    let error = null;
    try {
      for await (const event of stream(turn.controller.signal)) {
        turn.threadId ??= event.thread?.id;
        if (event.type === "thread.item.done" && event.item.type === "client_tool_call") turn.toolCall = event.item;
        if (turn.visit === this.#visit) this.#apply(event);
      }
    } catch (caught) {
      error = caught;
    }
    if (turn.visit !== this.#visit) {
      // Somebody has looked elsewhere meanwhile, and may have come back.
      if (turn.threadId && turn.threadId === this.thread?.id) await this.refresh().catch(() => {});
      return;
    }
    const { aborted } = turn.controller.signal;
    const toolCall = !aborted && !error && !this.failure && this.onClientTool ? turn.toolCall : null;
    this.#turn = null;
    this.progress = null;
    this.canStop = false;
    if (!toolCall) this.phase = "idle";
    if (aborted) this.wasStopped = true;
    else if (error) this.#fail(error);
    this.#changed();
    this.#emit("responseend");
    if (toolCall) await this.#callTool(toolCall, turn.visit);
  }

  /** Let the page do what the assistant asked of it, and go on with what came of it. */
  async #callTool(item, visit) {
    let result;
    try {
      result = (await this.onClientTool({ name: item.name, params: item.arguments })) ?? {};
    } catch (error) {
      if (visit !== this.#visit) return;
      this.phase = "idle";
      this.#fail(error);
      this.#changed();
      return;
    }
    // The server waits for the result, whatever the user looks at meanwhile.
    const params = { thread_id: item.thread_id, result };
    if (visit === this.#visit) await this.#answer("threads.add_client_tool_output", params);
    else for await (const _ of this.#transport.stream("threads.add_client_tool_output", params));
  }

  #apply(event) {
    const threadId = event.thread?.id ?? event.item?.thread_id;
    if (threadId && this.thread && threadId !== this.thread.id) return;
    switch (event.type) {
      case "thread.created":
      case "thread.updated":
        this.#setThread(event.thread, this.thread?.id);
        break;
      case "thread.item.added":
      case "thread.item.done":
      case "thread.item.replaced":
        this.#putItem(event.item);
        break;
      case "thread.item.updated":
        this.items = this.items.map((item) =>
          item.id === event.item_id ? updateItem(item, event.update) : item,
        );
        break;
      case "thread.item.removed":
        this.items = this.items.filter((item) => item.id !== event.item_id);
        break;
      case "progress_update":
        this.progress = { text: event.text, icon: event.icon };
        break;
      case "stream_options":
        this.canStop = event.stream_options.allow_cancel;
        break;
      case "client_effect":
        this.#emit("effect", { name: event.name, data: event.data });
        break;
      case "notice":
        this.notices = [...this.notices, event];
        break;
      case "error":
        this.#setFailure({ message: event.message ?? "", canRetry: event.allow_retry ?? false });
        break;
    }
    this.#changed();
  }

  #putItem(item) {
    if (!isVisible(item)) return;
    if (item.type === "user_message") this.items = this.items.filter((other) => !other.isLocal);
    else this.progress = null;
    const index = this.items.findIndex((other) => other.id === item.id);
    this.items = index === -1 ? [...this.items, item] : this.items.with(index, item);
  }

  async #load(threadId) {
    const { items: page, ...thread } = await this.#transport.request("threads.get_by_id", { thread_id: threadId });
    const items = [...page.data];
    let hasMore = page.has_more;
    while (hasMore) {
      const next = await this.#transport.request("items.list", {
        thread_id: threadId,
        limit: PAGE_SIZE,
        order: "asc",
        after: items.at(-1)?.id,
      });
      items.push(...next.data);
      hasMore = next.has_more && next.data.length > 0;
    }
    return { thread, items: items.filter(isVisible) };
  }

  #setThread({ items, ...thread }, idBefore = this.thread?.id) {
    this.thread = thread;
    if (thread.id !== idBefore) this.#emit("threadchange", { threadId: thread.id });
  }

  #leave() {
    this.#visit += 1;
    this.#turn = null;
    this.#lastRequest = null;
    this.thread = null;
    this.items = [];
    this.phase = "idle";
    this.canStop = false;
    this.#resetTurn();
  }

  #resetTurn() {
    this.progress = null;
    this.notices = [];
    this.failure = null;
    this.wasStopped = false;
  }

  #fail(error, { loading = false } = {}) {
    const known = error instanceof TransportError;
    const network = known && error.status === 0;
    // What is missing or forbidden will be so the next time.
    const canRetry = network || !known || error.status >= 500 || error.status === 429;
    this.#setFailure({ message: known ? error.message : "", network, loading, canRetry }, error);
  }

  #setFailure({ message, canRetry, network = false, loading = false }, error = new Error(message)) {
    this.failure = { message, canRetry, network, loading };
    this.#emit("failure", { error });
  }

  #changed() {
    this.#emit("change");
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
