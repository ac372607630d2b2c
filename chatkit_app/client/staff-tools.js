/**
 * A person of the staff in the official client, which has no buttons of its own for that: tools of its composer.
 *
 * @import {ChatKitOptions, ToolOption} from "@openai/chatkit"
 * @import {PageElement} from "./config.js"
 */

/** The choice of a tool by which a message asks for a person, and that by which one waits no longer. */
const REQUEST_STAFF = "chatkit_app.request_staff";
const STOP_WAITING = "chatkit_app.stop_waiting";

/**
 * Talk to a person, by a message with that tool; or, as long as the user waits for one, stop waiting, by a press.
 */
export class StaffTools {
  #strings;
  #setting;
  #isWaiting = false;
  /** @type {string|null} the thread that is shown */
  #thread = null;

  /**
   * @param {Record<string, string>} strings
   * @param {object} setting
   * @param {(thread: string) => Promise<any>} setting.read what the site tells of a thread
   * @param {() => void} setting.onChange the options are others now
   */
  constructor(strings, setting) {
    this.#strings = strings;
    this.#setting = setting;
  }

  /** @param {PageElement} element */
  listen(element) {
    element.addEventListener("chatkit.thread.change", ({ detail }) => this.look(detail?.threadId ?? null));
    element.addEventListener("chatkit.response.end", () => this.look());
    element.addEventListener("chatkit.tool.change", ({ detail }) => {
      if (detail?.toolId === STOP_WAITING) element.sendCustomAction({ type: STOP_WAITING });
    });
  }

  /**
   * @param {ChatKitOptions} options
   * @returns {ChatKitOptions}
   */
  withTool(options) {
    const { composer } = options;
    const { stopWaiting, talkToPerson } = this.#strings;
    const tools = composer?.tools ?? [];
    if (!this.#isWaiting && tools.some(({ id }) => id === REQUEST_STAFF)) return options;
    // The client has no room for every tool that is pinned: the first ones are seen.
    /** @type {ToolOption[]} */
    const offered = this.#isWaiting
      ? [{ id: STOP_WAITING, label: stopWaiting, icon: "user", pinned: true }, ...tools]
      : [...tools, { id: REQUEST_STAFF, label: talkToPerson, icon: "lifesaver" }];
    return { ...options, composer: { ...composer, tools: offered } };
  }

  /** Find out whether the user waits: the client does not know. @param {string|null} [thread] the one that is shown */
  async look(thread = this.#thread) {
    this.#thread = thread;
    try {
      const told = thread ? await this.#setting.read(thread) : null;
      const isWaiting = told?.thread?.handler?.state === "waiting";
      if (thread !== this.#thread || isWaiting === this.#isWaiting) return;
      this.#isWaiting = isWaiting;
      this.#setting.onChange();
    } catch (error) {
      console.warn("Who answers could not be found out.", error);
    }
  }
}
