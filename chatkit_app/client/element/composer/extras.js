/** What a composer may have beside its text, each loaded once the page's options ask for it. */
import { asObject } from "../values.js";
/** @import {Attachment} from "../protocol.js" */
/** @import {Attachments} from "./attachments.js" */
/** @import {ModelChoice, ToolChoice} from "./choices.js" */
/** @import {Completion} from "./completion.js" */
/** @import {ComposerView} from "./composer.js" */
/** @import {Dictation} from "./dictation.js" */

const ignore = () => {};

/** In place of what is not wanted, or still to come. */
const NO_ATTACHMENTS = {
  isOffered: false,
  ready: /** @type {Attachment[]} */ ([]),
  hold: null,
  clear: ignore,
  configure: ignore,
};
const NO_CHOICE = { selected: null, all: [], hasUnpinned: false, entries: () => [], select: ignore, configure: ignore };
const NO_DICTATION = { isActive: false, cancel: ignore, finish: ignore, configure: ignore };
const NO_COMPLETION = { update: ignore, close: ignore, onKeyDown: () => false };

/** Which parts the options ask for: the composer has room for their buttons before they are there. */
export class Extras {
  /** @type {Attachments|typeof NO_ATTACHMENTS} */
  attachments = NO_ATTACHMENTS;
  /** @type {ToolChoice|typeof NO_CHOICE} */
  tools = NO_CHOICE;
  /** @type {ModelChoice|typeof NO_CHOICE} */
  models = NO_CHOICE;
  /** @type {Dictation|typeof NO_DICTATION} */
  dictation = NO_DICTATION;
  /** @type {Completion|typeof NO_COMPLETION} */
  completion = NO_COMPLETION;
  /** @type {Map<string, Promise<unknown>>} */
  #loading = new Map();

  /** @param {ComposerView} composer */
  constructor(composer) {
    this.composer = composer;
    this.chat = composer.chat;
  }

  /** The options ask for files, and say where to send them. */
  get offersFiles() {
    const { api, composer } = this.chat.options;
    return Boolean(composer?.attachments?.enabled && asObject(api).uploadStrategy);
  }

  /** The options ask for tools or models. */
  get wantsChoices() {
    const { models, tools } = this.chat.options.composer ?? {};
    return Boolean(models?.length || tools?.length);
  }

  /** Speech can be recorded here, and the options ask for it. */
  get offersDictation() {
    const canRecord = typeof MediaRecorder === "function" && Boolean(navigator.mediaDevices?.getUserMedia);
    return canRecord && Boolean(this.chat.options.composer?.dictation?.enabled);
  }

  configure() {
    const { commands, composer, entities } = this.chat.options;
    for (const extra of [this.attachments, this.tools, this.models, this.dictation]) extra.configure();
    if (composer?.attachments?.enabled) this.#begin(this.withAttachments());
    if (this.wantsChoices) this.#begin(this.withChoices());
    if (commands?.enabled || entities?.onTagSearch) this.#begin(this.#once("completion", () => this.#addCompletion()));
    this.completion.close();
  }

  /** @param {{configure: () => void}[]} extras that are in their place */
  #begun(...extras) {
    for (const extra of extras) extra.configure();
    this.composer.update();
  }

  /** @param {Promise<unknown>} loading of what has no button before it is there */
  #begin(loading) {
    loading.catch((error) => this.chat.dispatchError(error));
  }

  /** @returns {Promise<Attachments>} */
  withAttachments() {
    return this.#once("attachments", async () => {
      const { Attachments } = await this.chat.load("attachments");
      const attachments = new Attachments(this.chat, this.composer);
      this.attachments = attachments;
      this.composer.files.replaceWith(attachments.node);
      this.composer.node.append(attachments.picker);
      this.#begun(attachments);
      return attachments;
    });
  }

  /** @returns {Promise<{tools: ToolChoice, models: ModelChoice}>} */
  withChoices() {
    return this.#once("choices", async () => {
      const { ModelChoice, ToolChoice, plusMenu } = await this.chat.load("choices");
      const tools = new ToolChoice(this.chat, this.composer.onChange);
      const models = new ModelChoice(this.chat);
      Object.assign(this, { tools, models });
      this.composer.tools.replaceWith(tools.node);
      this.composer.model.replaceWith(models.node);
      plusMenu(this.composer.plus, () => this.composer.plusEntries());
      this.#begun(tools, models);
      return { tools, models };
    });
  }

  /** @returns {Promise<Dictation>} */
  withDictation() {
    return this.#once("dictation", async () => {
      const { Dictation } = await this.chat.load("dictation");
      const dictation = new Dictation(this.chat, this.composer);
      this.dictation = dictation;
      this.composer.sound.replaceWith(dictation.node);
      this.#begun(dictation);
      return dictation;
    });
  }

  async #addCompletion() {
    const { completionOf } = await this.chat.load("completion");
    const completion = completionOf(this.composer);
    this.completion = completion;
    this.composer.node.append(completion.list.node);
    completion.update();
  }

  /**
   * @template Extra
   * @param {string} name
   * @param {() => Promise<Extra>} make
   * @returns {Promise<Extra>} the same for all who ask, unless it could not be had
   */
  #once(name, make) {
    const made = this.#loading.get(name) ?? make();
    this.#loading.set(name, made);
    made.catch(() => this.#loading.delete(name));
    return /** @type {Promise<Extra>} */ (made);
  }
}
