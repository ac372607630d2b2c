/** What "@" and "/" begin: a word is typed, something is looked up by it, and what is picked takes its place. */
import { CommandSource } from "./commands.js";
import { entitySource } from "./entities.js";
import { matches, Suggestions } from "./suggestions.js";
/** @import {Chat} from "../chat.js" */
/** @import {ComposerView} from "./composer.js" */
/** @import {Editor} from "./editor.js" */
/** @import {Suggestion} from "./suggestions.js" */

const DELAY = 150;

/** @typedef {{source: Source, start: number, end: number, query: string}} Token what is looked up, and where it is */

/**
 * @typedef {object} Source
 * @property {string} name
 * @property {(before: string) => {start: number, query: string}|null} find the token that ends at the caret
 * @property {() => string} label
 * @property {(token: Token) => Suggestion[]} options those that need no asking
 * @property {(token: Token) => Promise<Suggestion[]>|null} search those that do
 * @property {() => boolean} [leave] go up one level, if there is one
 * @property {() => void} [reset] go to the top
 */

export class Completion {
  /** @type {Token|null} */
  #token = null;
  /** @type {string|null} the token that Escape was pressed at */
  #dismissed = null;
  /** @type {string|null} the query that had no results: what goes on after it is not a query */
  #fruitless = null;
  /** @type {Suggestion[]} */
  #found = [];
  #search = 0;

  /**
   * @param {Chat} chat
   * @param {Editor} editor
   * @param {Suggestions} list
   * @param {Source[]} sources
   */
  constructor(chat, editor, list, sources) {
    this.chat = chat;
    this.editor = editor;
    this.list = list;
    this.sources = sources;
    editor.input.addEventListener("selectionchange", () => this.update());
    editor.input.addEventListener("compositionend", () => this.update());
    editor.input.addEventListener("blur", () => this.close());
  }

  /** After an edit, and after the caret has moved. */
  update() {
    const token = this.#find();
    const place = token && `${token.source.name}${token.start}`;
    if (place !== this.#dismissed) this.#dismissed = null;
    if (!token) this.#fruitless = null;
    if (!token || this.#dismissed || (/\s/.test(token.query) && token.query.startsWith(this.#fruitless ?? "\0"))) {
      this.close();
      return;
    }
    const { source, start, query } = this.#token ?? {};
    if (source === token.source && start === token.start && query === token.query) return;
    // Until the answer is there, what was found before serves, as far as it goes with what is typed.
    const goesOn = source === token.source && start === token.start;
    this.#found = goesOn ? this.#found.filter((option) => matches(option, token.query)) : [];
    this.#token = token;
    this.#lookUp(token);
  }

  close() {
    this.#search += 1;
    this.#token?.source.reset?.();
    this.#token = null;
    this.#found = [];
    this.list.hide();
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was the list's
   */
  onKeyDown(event) {
    if (!this.list.isOpen || this.editor.isComposing(event)) return false;
    if (event.key !== "Escape" || !this.#token) return this.list.onKeyDown(event);
    event.preventDefault();
    event.stopPropagation();
    this.back();
    return true;
  }

  /** Up one level, or away. */
  back() {
    const token = this.#token;
    if (!token) return;
    if (token.source.leave?.()) {
      this.#found = [];
      this.#lookUp(token);
    } else {
      this.#dismissed = `${token.source.name}${token.start}`;
      this.close();
    }
  }

  /** @returns {Token|null} */
  #find() {
    const before = this.editor.beforeCaret;
    if (before === null || !this.editor.isFocused) return null;
    for (const source of this.sources) {
      const token = source.find(before);
      const isInTag = this.editor.tags.some(({ start, end }) => token && start <= token.start && token.start < end);
      if (token && !isInTag) return { ...token, source, end: before.length };
    }
    return null;
  }

  /** @param {Token} token */
  async #lookUp(token) {
    const search = ++this.#search;
    const { source, query } = token;
    const local = source.options(token);
    const show = (/** @type {string} */ note) => {
      const options = [...local, ...this.#found];
      this.list.show(source.label(), options, options.length ? "" : note, (option) => option.onPick(token));
    };
    show(this.chat.text("loading"));
    if (query) await new Promise((resolve) => setTimeout(resolve, DELAY));
    if (search !== this.#search) return;
    /** @type {Suggestion[]} */
    let found = [];
    try {
      found = (await source.search(token)) ?? [];
    } catch (error) {
      this.chat.log(`composer.${source.name}.search.failed`, { query, error: String(error) });
    }
    if (search !== this.#search) return;
    this.#found = found;
    const count = local.length + found.length;
    this.#fruitless = count ? null : query;
    if (!count && /\s/.test(query)) this.close();
    else {
      const nothing = this.chat.text("nothingFound");
      show(nothing);
      this.chat.frame.announce(count ? this.chat.text("suggestionsFound", { count }) : nothing);
    }
  }
}

/** @param {ComposerView} composer */
export function completionOf(composer) {
  const { box, chat, editor } = composer;
  const list = new Suggestions(editor.input, box);
  return new Completion(chat, editor, list, [entitySource(chat, editor), new CommandSource(composer)]);
}
