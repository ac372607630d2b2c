/** One conversation: a thread, and what is going on in it, changed only here. */
import { Answer } from "./answer.js";
import { LoadedThread } from "./loaded-thread.js";
import { Turn } from "./turn.js";
import { asObject, asText } from "./values.js";
/** @import {AnyItem} from "./items.js" */
/** @import {Failure} from "./turn.js" */
/** @import {Action, StreamingParams, ThreadMetadata, ToolChoice, UserMessageContent} from "./protocol.js" */
/** @import {Stream, Transport} from "./transport.js" */

/**
 * @typedef {object} Message
 * @property {UserMessageContent[]} content
 * @property {{id: string}[]} [attachments]
 * @property {string} [quotedText]
 * @property {{tool_choice?: ToolChoice, model?: string}} [inferenceOptions]
 * @property {string} [replaces] the id of the message that it is an edit of: the last of the user's
 */

/** In the metadata of a message, what it is an edit of. */
const REPLACES = "chatkit_app.replaces";

/** @type {Failure} of an answer that was cut off before the thread was loaded */
const CUT = Object.freeze({ message: "", network: false, loading: false, canRetry: true, isOld: true });
/** @type {Failure} of a message that was kept for a person, who did not answer it */
const KEPT = Object.freeze({ ...CUT, isKept: true });

/**
 * Dispatches `change` after every change, and
 *
 * - `threadchange` when there is a thread, or another one,
 * - `responsestart` and `responseend`,
 * - `effect` (`detail.name`, `detail.data`) for the page,
 * - `failure` (`detail.error`) for the page's logs.
 */
export class Conversation extends LoadedThread {
  /** @type {"idle"|"loading"|"answering"} */
  phase = "idle";
  /** @type {((call: {name: string, params: any}) => unknown)|undefined} the page's tools */
  onClientTool;

  /** @type {Turn} */
  #turn;
  #readable;
  #isShown = true;
  /** @type {Answer|null} */
  #answer = null;
  /** @type {(() => Promise<void>)|null} what to do again after a failure */
  #again = null;
  /** The id that what was asked for last has, if it is a message. */
  #asks = "";
  /** @type {string|null} the answer that was read last */
  #run = null;
  /** @type {{run: string|null}|null} the answer that was left before its end */
  #left = null;
  /** @type {string|null} the answer of somebody else that was read here last */
  #watched = null;
  #isBehind = false;
  #isCatchingUp = false;
  /** What was asked for last has not even begun, and may be asked for again: another answer was being written, say. */
  #isPutOff = false;
  /** How many changes there have been here. */
  #changes = 0;

  /**
   * @param {Transport} transport
   * @param {Promise<unknown>} [readable] what the first look at a thread waits for
   */
  constructor(transport, readable) {
    super(transport);
    this.#readable = readable;
    this.#turn = this.#newTurn();
  }

  get progress() {
    return this.#turn.progress;
  }

  get notices() {
    return this.#turn.notices;
  }

  /** How the answer has failed: just now, or before the thread was loaded. */
  get failure() {
    return this.#turn.failure ?? this.#leftOver;
  }

  /** Why there is an answer to be had that has not come, or not whole. @returns {Failure|null} */
  get #leftOver() {
    if (this.phase !== "idle" || !this.isWritable || this.thread?.handler) return null;
    const isKept = this.isBack && this.items.at(-1)?.type === "user_message";
    return isKept || this.leftAs === "kept" ? KEPT : this.leftAs ? CUT : null;
  }

  get canStop() {
    return this.#turn.canStop;
  }

  get wasStopped() {
    return this.#turn.wasStopped;
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

  /** Somebody sees it: only then what has failed is done again by itself. */
  set isShown(/** @type {boolean} */ isShown) {
    this.#isShown = isShown;
    this.#awaitNetwork();
  }

  /**
   * Load a thread: the newest of its items.
   *
   * @param {string} threadId
   */
  async open(threadId) {
    this.#again = () => this.open(threadId);
    this.#turn = this.#newTurn();
    this.phase = "loading";
    this.#changed();
    try {
      await Promise.all([this.load(threadId), this.#readable]);
    } catch (error) {
      this.#turn.fail(error, { loading: true });
    }
    this.phase = "idle";
    this.#changed();
  }

  /** Read the thread again, for what was changed behind our back. */
  async refresh() {
    while (this.thread && this.phase === "idle") {
      const changes = this.#changes;
      // What has changed here meanwhile, by an answer that has begun or is over already, is not in what was read.
      const isWanted = () => this.#changes === changes;
      if (await this.loadAgain(isWanted)) {
        this.#changed();
        return;
      }
    }
  }

  /**
   * Take in what has changed elsewhere, once nothing is being answered here.
   *
   * @param {(thread: string, after: number) => Promise<any>} read what the server says has changed after a version
   */
  async catchUp(read) {
    this.#isBehind = true;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    try {
      while (this.#isBehind && this.thread) {
        while (this.phase !== "idle") await this.#nextChange();
        this.#isBehind = false;
        const before = this.#changes;
        const changes = await read(this.id, this.version);
        // What has changed here meanwhile is not in it; afterwards it is asked again.
        if (this.#changes !== before) this.#isBehind = true;
        else if (changes.reset) await this.refresh();
        else {
          const isNews = changes.version > this.version;
          this.applyChanges(changes);
          this.#changed();
          if (changes.run && changes.run !== this.#watched) await this.#watch(changes.run);
          else if (!changes.run && isNews && this.#isPutOff) await this.#askPutOff();
        }
      }
    } finally {
      this.#isCatchingUp = false;
    }
  }

  /** Load the page of items before the oldest. */
  async loadOlder() {
    if (!this.hasOlder || !this.thread) return;
    await super.loadOlder();
    this.#changed();
  }

  /**
   * Send a message, in the thread or as the first of a new one. Resolves when the answer has ended.
   *
   * @param {Message} message
   */
  async send({ content, attachments = [], quotedText, inferenceOptions = {}, replaces }) {
    while (this.phase !== "idle") await this.#nextChange();
    if (!this.canSend) await this.#again?.();
    if (!this.canSend) throw new Error("The conversation could not be loaded; nothing was sent.");
    /** @type {StreamingParams["threads.create"]["input"]} */
    const input = { content, attachments: attachments.map(({ id }) => id), inference_options: inferenceOptions };
    if (quotedText) input.quoted_text = quotedText;
    const name = newName();
    const before = this.items;
    if (replaces) this.cutAfter(replaces, { itself: true });
    this.putLocal(messageId(name), { content, attachments, quoted_text: quotedText });
    const metadata = replaces ? { [REPLACES]: replaces } : undefined;
    await this.#ask(
      (options) =>
        this.thread
          ? this.transport.stream("threads.add_user_message", { thread_id: this.thread.id, input }, options, metadata)
          : this.transport.stream("threads.create", { input }, options),
      name,
    );
    if (replaces) this.#restoreRefused(before);
  }

  /**
   * @param {string|undefined} itemId the widget's, if it comes from one
   * @param {Action} action
   */
  async customAction(itemId, action) {
    await this.#askHere("threads.custom_action", { item_id: itemId, action });
  }

  /**
   * An action whose answer is its own widget and nothing else.
   *
   * @param {string} itemId
   * @param {Action} action
   */
  async syncAction(itemId, action) {
    const params = { thread_id: this.id, item_id: itemId, action };
    const { updated_item: item } = await this.transport.request("threads.sync_custom_action", params);
    this.#turn.goOn(this.put(item));
    this.#changed();
  }

  /**
   * @param {string} itemId
   * @param {StreamingParams["threads.add_structured_input"]["input"]} input
   */
  async submitInputs(itemId, input) {
    await this.#askHere("threads.add_structured_input", { item_id: itemId, input });
  }

  /**
   * @param {{id: string}[]} items
   * @param {"positive"|"negative"} kind
   */
  async feedback(items, kind) {
    const ids = items.map(({ id }) => id);
    await this.transport.request("items.feedback", { thread_id: this.id, item_ids: ids, kind });
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

  /** There is a connection again: what is lost, or was not to be had, is tried at once. */
  tryNow() {
    this.#answer?.tryNow();
    if (this.#isShown) this.#onOnline();
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
    const unanswered = this.#unanswered();
    if (unanswered) return this.retryAfter(unanswered.id);
    this.markSending();
    const run = this.#run;
    await this.#again?.();
    // It had come in, and this is how its answer ended then: the answer is what is to be done again.
    const cameIn = run && run === this.#run && this.failure?.canRetry ? this.#unanswered() : null;
    if (cameIn) await this.retryAfter(cameIn.id);
  }

  /** @returns {AnyItem|null} the question that has come in, and whose answer has failed */
  #unanswered() {
    const question = this.items.findLast((item) => item.type === "user_message");
    if (!this.thread || !question || question.isLocal) return null;
    // What has not even begun, an action for instance, is not to be had by another answer to the question before it.
    const hasComeIn = question.id === this.#asks && question === this.items.at(-1);
    return this.#turn.hasBegun || hasComeIn || this.failure?.isOld ? question : null;
  }

  /**
   * Answer again what came after an item.
   *
   * @param {string} itemId
   */
  async retryAfter(itemId) {
    while (this.phase !== "idle") await this.#nextChange();
    const before = this.items;
    this.cutAfter(itemId);
    await this.#askHere("threads.retry_after_item", { item_id: itemId });
    this.#restoreRefused(before);
  }

  /** @param {AnyItem[]} before the items that there were: when what was asked for was refused, the server has them still */
  #restoreRefused(before) {
    if (!this.failure || this.failure.canRetry || this.#turn.hasBegun) return;
    this.items = before;
    this.#changed();
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

  /**
   * Read an answer that was asked for elsewhere, while it is written. What has become of it in the end is looked up.
   *
   * @param {string} run
   */
  async #watch(run) {
    this.#watched = run;
    await this.#read(async (signal) => {
      const events = await this.transport.follow(run, signal);
      return events && { run, events };
    });
    this.#isBehind = true;
  }

  /** @param {ThreadMetadata} thread what has become of the thread elsewhere */
  updateThread(thread) {
    this.setThread(thread);
    this.#changed();
  }

  /** @returns {Turn} one of which nothing has been heard yet; the answer of one that was left can still be stopped */
  #newTurn() {
    const turn = new Turn(this);
    turn.canStop = this.#turn?.canStop ?? false;
    return turn;
  }

  /**
   * Have something of this thread answered, once nothing else is.
   *
   * @template {keyof StreamingParams} Operation
   * @param {Operation} type
   * @param {Omit<StreamingParams[Operation], "thread_id">} given
   */
  async #askHere(type, given) {
    while (this.phase !== "idle") await this.#nextChange();
    const params = /** @type {StreamingParams[Operation]} */ ({ thread_id: this.id, ...given });
    await this.#ask((options) => this.transport.stream(type, params, options));
  }

  /**
   * @param {(options: {signal: AbortSignal, name: string}) => Promise<Stream>} request
   * @param {string} [name] the same one when it is done again: what has come in without our knowledge is not done twice
   */
  async #ask(request, name = newName()) {
    this.#again = () => this.#ask(request, name);
    this.#asks = messageId(name);
    this.#isPutOff = false;
    await this.#read((signal) => request({ signal, name }));
    this.#isPutOff = this.failure?.canRetry === true && !this.#turn.hasBegun;
  }

  /**
   * Nothing is in the way any more: a message is sent now, and of anything else the refusal is of yesterday. But a message
   * that was stored, and that nobody has answered, waits for whoever presses "Retry".
   */
  async #askPutOff() {
    this.#isPutOff = false;
    if (this.items.some(({ id, isUnsent }) => isUnsent && id === this.#asks)) {
      this.markSending();
      await this.#again?.();
    } else if (this.items.at(-1)?.id !== this.#asks) {
      this.#turn = this.#newTurn();
      this.#changed();
    }
  }

  /** @param {(signal: AbortSignal) => Promise<Stream|null>} open */
  async #read(open) {
    let hasStarted = false;
    const answer = new Answer(this.transport, {
      onEvent: (event) => {
        if (!hasStarted) this.emit("responsestart");
        hasStarted = true;
        this.#turn.apply(event);
        this.#changed();
      },
      onChange: () => this.#changed(),
    });
    this.#answer = answer;
    const turn = this.#newTurn();
    this.#turn = turn;
    this.answeredFrom = this.items.length;
    this.phase = "answering";
    this.leftAs = "";
    this.isBack = false;
    this.#changed();
    await answer.read(open);
    this.#run = answer.run;
    if (answer.wasLeft) {
      this.#left = { run: answer.run };
      this.#answer = null;
      this.phase = "idle";
      this.#changed();
      return;
    }
    const error = answer.isMissed ? await this.#reloadAnswer(answer.error) : answer.error;
    const isOver = answer.wasStopped || error || this.failure || !this.onClientTool || !turn.toolCall;
    this.#answer = null;
    turn.progress = null;
    turn.canStop = false;
    if (isOver) this.phase = "idle";
    if (answer.wasStopped) turn.wasStopped = true;
    else if (error) turn.fail(error);
    if (this.failure || this.wasStopped) this.markUnsent();
    this.#changed();
    if (hasStarted) this.emit("responseend", { isOver: Boolean(isOver) });
    if (!isOver) await this.#callTool(turn.toolCall);
  }

  /**
   * An answer that nobody can follow any more is in the thread, or it is lost.
   *
   * @param {unknown} error
   */
  async #reloadAnswer(error) {
    if (!this.thread) return error;
    try {
      await this.load(this.thread.id);
      return this.items.at(-1)?.type === "user_message" ? error : null;
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
      params = { thread_id: this.id, result };
    } catch (error) {
      this.phase = "idle";
      this.#turn.fail(error);
      this.#changed();
      return;
    }
    await this.#ask((options) => this.transport.stream("threads.add_client_tool_output", params, options));
  }

  /** What has failed for want of a network is done again when there is one. */
  #awaitNetwork() {
    if (this.#isShown && this.failure?.network) addEventListener("online", this.#onOnline, { once: true });
    else removeEventListener("online", this.#onOnline);
  }

  #onOnline = () => {
    if (this.failure?.network) this.retry();
  };

  #changed() {
    this.#changes += 1;
    this.#awaitNetwork();
    this.emit("change");
  }

  #nextChange() {
    return new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
  }
}

/** @returns {string} 128 random bits: the name of a request, by which the server knows it again */
function newName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} name that of a request
 * @returns {string} the id that the server gives to the message which it brings
 */
function messageId(name) {
  return `msg_${name}`;
}
