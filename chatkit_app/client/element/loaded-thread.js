/** A thread as far as it has been loaded: what is known of it, and its items up to the newest. */
import { asItem, asItems, isVisible, updateItem } from "./items.js";
import { asList, asObject, asText } from "./values.js";
/** @import {AnyItem} from "./items.js" */
/** @import {ThreadMetadata} from "./protocol.js" */
/** @import {Transport} from "./transport.js" */

const PAGE_SIZE = 100;

/** Dispatches `threadchange` when there is a thread, or another one. */
export class LoadedThread extends EventTarget {
  /** @type {ThreadMetadata|null} without its items; null in a new chat */
  thread = null;
  /** @type {AnyItem[]} those that have been loaded */
  items = [];
  /** There are items before those that have been loaded. */
  hasOlder = false;
  /** How many items the answer began with: those after them belong to it. */
  answeredFrom = 0;
  /** The thread as it is known has this version, after which the server is asked for changes. */
  version = 0;
  /** How the server left the newest question without a whole answer, and nothing has come behind that: "cut", "kept". */
  leftAs = "";
  /** The assistant answers again, and has not answered anything since. */
  isBack = false;
  /** Also what users do not see, for those who look after their conversations. */
  showsAll = false;
  /** @type {Transport} */
  transport;

  /** @type {string|null} the id of the oldest item that the server has sent */
  #oldest = null;
  /** @type {Promise<void>|null} */
  #loadingOlder = null;

  /** @param {Transport} transport */
  constructor(transport) {
    super();
    this.transport = transport;
  }

  /** @throws {Error} while there is no thread */
  get id() {
    if (!this.thread) throw new Error("There is no conversation yet; send a message first.");
    return this.thread.id;
  }

  /** @param {unknown} value what the server says of the thread */
  setThread(value) {
    const { items: _, version, answer: __, ...thread } = asObject(value);
    if (typeof thread.id !== "string") return;
    const idBefore = this.thread?.id;
    if (typeof version === "number") this.version = version;
    else if (thread.id !== idBefore) this.version = 0;
    if (thread.id === idBefore && this.thread?.handler && !thread.handler) this.isBack = true;
    this.thread = /** @type {ThreadMetadata} */ (thread);
    if (thread.id !== idBefore) this.emit("threadchange");
  }

  /**
   * Have a thread, and the newest of its items.
   *
   * @param {string} threadId
   */
  async load(threadId) {
    const { thread, items } = await this.#read(threadId);
    this.setThread(thread);
    this.leftAs = asText(thread.answer);
    this.items = items;
  }

  /** @param {string} threadId */
  async #read(threadId) {
    const { items: first, ...thread } = asObject(
      await this.transport.request("threads.get_by_id", { thread_id: threadId }),
    );
    // A short thread comes whole; of a long one these are the oldest.
    const items = first?.has_more === true ? await this.#readPage(threadId) : this.#shown(first?.data);
    if (first?.has_more !== true) this.hasOlder = false;
    return { thread, items };
  }

  /**
   * Read the thread again, for what was changed behind our back.
   *
   * @param {() => boolean} isWanted whether nothing has come in between
   * @returns {Promise<boolean>} the same
   */
  async loadAgain(isWanted) {
    const olderThanPage = { oldest: this.#oldest, hasOlder: this.hasOlder };
    const { thread, items: known } = await this.#read(this.id);
    if (!isWanted()) return false;
    this.setThread(thread);
    this.leftAs = asText(thread.answer);
    const ids = new Set(known.map(({ id }) => id));
    const items = [...known, ...this.items.filter(({ id, isLocal }) => isLocal && !ids.has(id))];
    const overlap = this.items.findIndex((item) => item.id === items[0]?.id);
    if (overlap > 0) {
      this.items = [...this.items.slice(0, overlap), ...items];
      this.#oldest = olderThanPage.oldest;
      this.hasOlder = olderThanPage.hasOlder;
    } else this.items = items;
    return true;
  }

  /**
   * Take in what the server says has changed since our version.
   *
   * @param {any} changes
   */
  applyChanges({ version, thread, removed }) {
    this.setThread({ ...asObject(thread), version });
    const gone = new Set(asList(removed));
    if (gone.size) this.items = this.items.filter(({ id }) => !gone.has(id));
    const oldest = this.hasOlder ? this.items[0]?.created_at : undefined;
    for (const item of asItems(asObject(thread).items?.data)) {
      const known = this.items.find(({ id }) => id === item.id);
      // What stands before what has been loaded is read with its page.
      const isNews = known ? JSON.stringify(known) !== JSON.stringify(item) : !(oldest && item.created_at < oldest);
      if (isNews) this.put(item);
      if (!known && isNews) this.leftAs = "";
    }
  }

  /** Load the page of items before the oldest. */
  async loadOlder() {
    this.#loadingOlder ??= this.#readPage(this.id, this.#oldest ?? undefined)
      .then((items) => {
        const known = new Set(this.items.map(({ id }) => id));
        const older = items.filter(({ id }) => !known.has(id));
        this.items = [...older, ...this.items];
        this.answeredFrom += older.length;
      })
      .finally(() => (this.#loadingOlder = null));
    await this.#loadingOlder;
  }

  /**
   * Take in an event of an answer that is about items.
   *
   * @param {any} event
   * @returns {AnyItem|null} the item that has been put in
   */
  apply(event) {
    switch (event.type) {
      case "thread.item.added":
      case "thread.item.done":
      case "thread.item.replaced":
        return this.put(event.item);
      case "thread.item.updated":
        this.items = this.items.map((item) => (item.id === event.item_id ? updateItem(item, event.update) : item));
        break;
      case "thread.item.removed":
        this.items = this.items.filter((item) => item.id !== event.item_id);
    }
    return null;
  }

  /**
   * @param {unknown} value an item, in its place or behind all others
   * @returns {AnyItem|null} null when it is none, or not to be shown
   */
  put(value) {
    const item = asItem(value);
    if (!item || !this.#shows(item)) return null;
    const isQuestion = item.type === "user_message";
    if (isQuestion) this.#dropLocal(item.id);
    const index = this.items.findIndex((other) => other.id === item.id);
    const place = index === -1 && isQuestion ? this.#placeOf(item) : this.items.length;
    this.items = index === -1 ? this.items.toSpliced(place, 0, item) : this.items.with(index, item);
    // An answer that is read again has its own items behind the question already.
    if (isQuestion) this.answeredFrom = Math.max(this.answeredFrom, (index === -1 ? place : index) + 1);
    return item;
  }

  /** @param {string} id that of a message which has come in: what stood for it goes; what could not be sent stays */
  #dropLocal(id) {
    this.items = this.items.filter((other) => !other.isLocal || (other.isUnsent && other.id !== id));
  }

  /**
   * @param {AnyItem} message one that has come in, long ago perhaps, though it seemed not to
   * @returns {number} its place: before all that is younger, such as its answer
   */
  #placeOf(message) {
    const time = Date.parse(message.created_at);
    const younger = this.items.findIndex((other) => !other.isLocal && Date.parse(other.created_at) > time);
    return younger === -1 ? this.items.length : younger;
  }

  /**
   * @param {string} id that which the server is to give it
   * @param {Record<string, unknown>} message one that is being sent; the server's takes its place
   */
  putLocal(id, message) {
    const item = { id, type: "user_message", created_at: new Date().toISOString() };
    this.items = [...this.items, { ...item, isLocal: true, ...message }];
  }

  /** What is being sent could not be sent. */
  markUnsent() {
    this.items = this.items.map((item) => (item.isLocal && !item.isUnsent ? { ...item, isUnsent: true } : item));
  }

  /** The last message that was written here is sent again. */
  markSending() {
    const last = this.items.findLastIndex(({ isLocal }) => isLocal);
    if (last !== -1) this.items = this.items.with(last, { ...this.items[last], isUnsent: false });
  }

  /**
   * @param {string} itemId the item after which all go
   * @param {{itself?: boolean}} [options] whether it goes, too
   */
  cutAfter(itemId, { itself = false } = {}) {
    const index = this.items.findIndex(({ id }) => id === itemId);
    if (index !== -1) this.items = this.items.slice(0, itself ? index : index + 1);
  }

  /**
   * @param {string} threadId
   * @param {string} [after] the id of the item before which the page ends
   */
  async #readPage(threadId, after) {
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

  /**
   * @param {string} type
   * @param {object} [detail]
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
