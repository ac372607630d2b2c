/** Where the list of conversations is from: the app's own, with a search and an order of the user's, or the protocol's. */
import { TransportError } from "../transport.js";
import { asObject } from "../values.js";
/** @import {Chat} from "../chat.js" */

const PAGE_SIZE = 50;
/** What servers say that have no such list. */
const UNKNOWN = [400, 404, 405];

export class HistorySource {
  #chat;
  #isMissing = false;

  /** @param {Chat} chat */
  constructor(chat) {
    this.#chat = chat;
  }

  /** Whether it searches what was said, and knows what is pinned and archived. */
  get isOwn() {
    const { appUrl, options } = this.#chat;
    // A page may ask another server than the site that it comes from.
    return !this.#isMissing && appUrl !== null && pathOf(asObject(options.api).url) === pathOf(appUrl);
  }

  /**
   * @param {{after?: string, search?: string, isArchived?: boolean}} asked
   * @returns {Promise<Record<string, any>>} a page, whatever it may hold
   * @throws {TransportError} when it cannot be had
   */
  async page({ after, search, isArchived }) {
    if (this.isOwn) {
      const query = new URLSearchParams();
      if (search) query.set("search", search);
      if (isArchived) query.set("archived", "1");
      if (after) query.set("after", after);
      try {
        return asObject(await (await this.#chat.transport.ask(`${this.#chat.appUrl}/history?${query}`)).json());
      } catch (error) {
        if (!(error instanceof TransportError && UNKNOWN.includes(error.status))) throw error;
        this.#isMissing = true;
      }
    }
    const params = { limit: PAGE_SIZE, order: /** @type {const} */ ("desc"), after };
    return asObject(await this.#chat.transport.request("threads.list", params));
  }

  /**
   * @param {string} thread
   * @param {{pinned?: boolean, archived?: boolean}} order
   * @throws {TransportError} when the server refuses
   */
  async keep(thread, order) {
    await this.#chat.transport.ask(`${this.#chat.appUrl}/threads/${encodeURIComponent(thread)}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(order),
    });
  }
}

/** @param {unknown} url @returns {string} the address without what makes no difference; "" for none */
function pathOf(url) {
  return (URL.parse(String(url), document.baseURI)?.href ?? "").replace(/\/$/, "");
}
