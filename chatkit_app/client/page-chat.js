/**
 * One chat of the page: its configuration, its memory and its element.
 *
 * @import {ChatKitOptions} from "@openai/chatkit"
 * @import {Configuration, PageConfig, PageElement} from "./config.js"
 */
import { Drafts } from "./drafts.js";
import { createFetch } from "./fetch.js";
import { Live } from "./live.js";
import { TAG, loadClient } from "./loader.js";
import { baseOptions } from "./options.js";
import { Refusals, isRefusal } from "./refusals.js";
import { ThreadMemory } from "./thread-memory.js";

/** Milliseconds after which the page that is still there is not being reloaded. */
const RELOAD_GRACE = 1000;
/** How often, in milliseconds, a client that answers from its cache is asked again for news, and how many times. */
const NEWS_INTERVAL = 1000;
const NEWS_ATTEMPTS = 15;

/** What tells, in an element's place, that it is not there. */
export const UNAVAILABLE = ":scope > .chatkit-unavailable";

export class PageChat {
  #config;
  #memory;
  #fetch;
  #options;
  /** @type {Configuration[]} */
  #configurations = [];
  #refusals = new Refusals();
  #started = false;
  /** @type {string|null} the run that a reload has cut off */
  #interruptedRun = null;
  /** @type {string|null} the thread that is shown */
  #thread = null;
  /** @type {string|null} the thread of which there may be news that the client does not show */
  #staleThread = null;
  /** @type {Live|null} what hears of changes, once there is a thread */
  #live = null;
  #isResponding = false;
  /** @type {import("./staff-tools.js").StaffTools|null} */
  #staffTools = null;

  /**
   * @param {PageElement} element the `<openai-chatkit>` of the page
   * @param {PageConfig} config
   */
  constructor(element, config) {
    this.element = element;
    this.#config = config;
    this.#memory = new ThreadMemory(config.persist);
    this.#fetch = createFetch(config, {
      onRun: (run, thread) => this.#rememberRun(run, thread),
      onLoad: (thread) => thread === this.#staleThread && (this.#staleThread = null),
      onMissingThread: (thread) => this.#forgetThread(thread),
    });
    this.#options = this.#baseOptions();
  }

  #baseOptions() {
    return baseOptions(this.#config, { fetch: this.#fetch, rememberedThread: this.#memory.thread });
  }

  /**
   * Let a function of the page change the options; those of a running chat are set again.
   *
   * @param {Configuration} configuration
   */
  configure(configuration) {
    this.#configurations.push(configuration);
    this.#apply(configuration);
    if (this.#started) this.#setOptions();
  }

  /** @param {Configuration} configuration */
  #apply(configuration) {
    try {
      configuration(this.#options, this.element);
    } catch (error) {
      console.error("A chatkitConfigure function failed.", error);
    }
  }

  #setOptions() {
    const options = this.#staffTools?.withTool(this.#options) ?? this.#options;
    const known = "offersStaff" in this.element ? options : withoutEdit(options);
    this.element.setOptions(this.#refusals.withoutRefused(known));
  }

  /** The bundled element has buttons by which to ask for a person, and to wait no longer. */
  async #addStaffTools() {
    if (!this.#config.offersStaff || "offersStaff" in this.element) return;
    const { StaffTools } = await import("./staff-tools.js");
    this.#staffTools = new StaffTools(this.#config.strings, {
      read: (thread) => this.#readChanges(thread, Number.MAX_SAFE_INTEGER),
      onChange: () => this.#setOptions(),
    });
    this.#staffTools.listen(this.element);
    this.#staffTools.look(this.#options.initialThread ?? null);
  }

  /** Bring the element to life, or say in its place that it could not be. */
  async start() {
    try {
      await this.#start();
    } catch (error) {
      console.error("The chat could not be started.", error);
      this.#showUnavailable(error);
    }
  }

  async #start() {
    const isRemembered = this.#memory.thread && this.#memory.thread === this.#options.initialThread;
    const interruptedRun = isRemembered && this.#memory.run;
    this.#listen();
    loadClient(this.#config).catch((error) => {
      console.error("The chat's client could not be loaded.", error);
      if (!customElements.get(TAG)) this.#showUnavailable(error);
    });
    // The script may still come after it was given up.
    await customElements.whenDefined(TAG);
    this.element.querySelector(UNAVAILABLE)?.remove();
    if ("strings" in this.element) {
      this.element.strings = this.#config.strings;
      this.element.offersStaff = this.#config.offersStaff;
      this.element.drafts = new Drafts(this.#config.draft.key, this.#config.draft.owner);
      this.element.runEvents = (run) => this.#runEvents(run);
      this.element.appUrl = this.#config.endpoint.replace(/\/$/, "");
    }
    await this.#addStaffTools();
    this.#started = true;
    this.#thread = this.#options.initialThread ?? null;
    this.#setOptions();
    this.#follow();
    if (interruptedRun) this.#catchUp(interruptedRun);
  }

  /** Back from the browser's cache, the page is as it was when it was left. The bundled element goes on by itself. */
  comeBack() {
    if (this.#started) this.#catchUp(this.element.followRun ? null : this.#memory.run);
  }

  /**
   * The official client's `setOptions()` returns nothing, and its errors are those of a script of another origin, which
   * pages are not told of. What is left is what its frame says.
   *
   * @param {MessageEvent} message one to the page
   */
  hear({ origin, data }) {
    if (!this.#started || origin !== new URL(this.#config.scriptUrl, document.baseURI).origin) return;
    if (isRefusal(data?.error) && this.#leaveOut(data.error)) this.#setOptions();
  }

  #listen() {
    this.#staffTools?.listen(this.element);
    this.element.addEventListener("chatkit.thread.change", (event) => {
      const thread = event.detail?.threadId ?? null;
      this.#thread = thread;
      this.#follow();
      // The first message of a new chat has its run before it has its thread.
      if (this.#memory.thread && this.#memory.thread !== thread) this.#memory.run = null;
      this.#memory.thread = thread;
    });
    // Told to whoever of the staff answers here. The official client's words are nothing that its page hears of.
    this.element.addEventListener("input", () => this.element.isWithStaff && this.#live?.type());
    this.element.addEventListener("chatkit.response.start", () => (this.#isResponding = true));
    this.element.addEventListener("chatkit.response.end", () => {
      this.#isResponding = false;
      const { run } = this.#memory;
      // Not at once: a reload ends the response too, and what it has cut off is to be gone on with.
      setTimeout(() => this.#memory.run === run && (this.#memory.run = null), RELOAD_GRACE);
    });
    this.element.addEventListener("chatkit.error", ({ detail }) => {
      if (isRefusal(detail?.error)) this.#startWithout(detail.error);
    });
  }

  /**
   * The client does not start with options that it refuses, nor does it take others then: another element takes its place.
   *
   * @param {Error} refusal
   */
  #startWithout(refusal) {
    if (!this.#leaveOut(refusal)) {
      console.error("The chat's client refuses its options.", refusal);
      if (!this.#refusals.leaveLeast()) {
        this.#showUnavailable(refusal);
        return;
      }
    }
    const refused = this.element;
    this.element = /** @type {PageElement} */ (refused.cloneNode());
    delete this.element.dataset.loaded;
    this.element.append(...refused.childNodes);
    refused.replaceWith(this.element);
    this.#listen();
    // Not only for its options: what it listens to is this element's now.
    this.#options = this.#baseOptions();
    for (const configuration of this.#configurations) this.#apply(configuration);
    this.#setOptions();
  }

  /**
   * @param {Error} refusal
   * @returns {boolean} whether there is something to leave out
   */
  #leaveOut(refusal) {
    const names = this.#refusals.add(refusal, this.#options);
    if (!names.length) return false;
    console.warn(`The chat's client refuses these options and is used without them: ${names.join(", ")}.`, refusal);
    return true;
  }

  /** @param {string|null} run an answer that was being written when the page was left */
  async #catchUp(run) {
    try {
      if (run) await this.#catchUpWith(run);
      else await this.#showNews(this.#thread);
    } catch (error) {
      console.warn("An answer could not be followed.", error);
    }
  }

  /**
   * A reload cut this run's stream. The bundled element goes on with it; the other one is told of its end.
   *
   * @param {string} run
   */
  async #catchUpWith(run) {
    // Remembered again by the fetch, if there still is such a run.
    this.#memory.run = null;
    this.#interruptedRun = run;
    if (this.element.followRun) {
      await this.element.followRun(run);
      return;
    }
    // Somebody may look at another one when it ends.
    const thread = this.#thread;
    const response = await this.#fetch(this.#runEvents(run));
    if (!response.ok) return;
    await response.body?.pipeTo(new WritableStream());
    this.#memory.run = null;
    await this.#showNews(thread);
  }

  /**
   * Have the client show what has become of its thread.
   *
   * The official one answers `fetchUpdates()` from a cache for some seconds after a load, without a word. So it is asked
   * until it has asked the server.
   *
   * @param {string|null} thread
   */
  async #showNews(thread) {
    if (this.element.followRun) {
      await this.element.fetchUpdates();
      return;
    }
    if (!thread) return;
    this.#staleThread = thread;
    for (let attempt = 0; attempt < NEWS_ATTEMPTS; attempt += 1) {
      // Not while somebody looks at another one. When this one is come back to, the client does not load it again.
      while (this.#thread !== thread) await this.#nextThread();
      await this.element.fetchUpdates();
      if (this.#staleThread !== thread) return;
      await new Promise((resolve) => setTimeout(resolve, NEWS_INTERVAL));
    }
  }

  /** Hear of what changes in the thread that is shown. */
  #follow() {
    if (!this.#thread && !this.#live) return;
    this.#live ??= this.#createLive();
    this.#live.follow(this.#thread);
  }

  #createLive() {
    // An element that is taken out of the page for good goes, and its chat with it, in spite of the socket.
    const held = new WeakRef(this);
    return new Live(this.#config.socketUrl, {
      isGone: () => !held.deref(),
      version: () => held.deref()?.element.threadVersion,
      onNews: () => held.deref()?.hearOfNews(),
      onTyping: (name) => held.deref()?.element.showTyping?.(name),
      onReturn: () => held.deref()?.element.tryNow?.(),
    });
  }

  /** Something has changed in the thread elsewhere. */
  async hearOfNews() {
    // At the end of what the official client is being told, its tools are looked at anyhow.
    if (!this.#isResponding) this.#staffTools?.look();
    try {
      if (this.element.catchUp) await this.element.catchUp((thread, after) => this.#readChanges(thread, after));
      // What the official client is being told itself is no news, and it asks for all of the thread.
      else if (!this.#isResponding) await this.#showNews(this.#thread);
    } catch (error) {
      console.warn("Changes could not be shown.", error);
    }
  }

  /**
   * @param {string} thread
   * @param {number} after
   */
  async #readChanges(thread, after) {
    const { changesUrl, runPlaceholder } = this.#config;
    const url = changesUrl.replace(runPlaceholder, encodeURIComponent(thread));
    const seen = document.hidden ? "" : "&seen=1";
    const response = await this.#fetch(`${url}?after=${after}${seen}`);
    if (!response.ok) throw new Error(`The server answers with ${response.status}.`);
    return response.json();
  }

  #nextThread() {
    return new Promise((resolve) => this.element.addEventListener("chatkit.thread.change", resolve, { once: true }));
  }

  /**
   * Not that of a thread that is answered in the background, which would be gone on with in another one.
   *
   * @param {string} run
   * @param {string|null|undefined} thread
   */
  #rememberRun(run, thread) {
    const isShown = thread === null || thread === this.#memory.thread;
    if (thread === undefined ? run === this.#interruptedRun : isShown) this.#memory.run = run;
  }

  /** @param {string} run */
  #runEvents(run) {
    const { runEventsUrl, runPlaceholder } = this.#config;
    return runEventsUrl.replace(runPlaceholder, encodeURIComponent(run));
  }

  /** @param {string} thread */
  #forgetThread(thread) {
    if (thread !== this.#memory.thread) return;
    this.#memory.thread = null;
    // After the client has dealt with the answer that says so.
    setTimeout(() => this.element.setThreadId(null)?.catch(() => {}));
  }

  /** @param {unknown} error what developers are told with `DEBUG`; everybody else finds it in the console */
  #showUnavailable(error) {
    const message = document.createElement("div");
    message.className = "chatkit-unavailable";
    message.setAttribute("role", "alert");
    message.append(paragraph({ textContent: this.#config.strings.unavailable }));
    if (this.#config.debug) message.append(paragraph({ textContent: `DEBUG: ${error}`, lang: "en", dir: "ltr" }));
    this.element.append(message);
  }
}

/** @param {Partial<HTMLParagraphElement>} properties */
function paragraph(properties) {
  return Object.assign(document.createElement("p"), properties);
}

/**
 * The other client cannot edit a message, and stays blank when it finds an option that it does not know.
 *
 * @param {ChatKitOptions} options
 * @returns {ChatKitOptions}
 */
function withoutEdit({ threadItemActions, ...options }) {
  const { edit: _, ...known } = /** @type {any} */ (threadItemActions ?? {});
  return threadItemActions ? { ...options, threadItemActions: known } : options;
}
