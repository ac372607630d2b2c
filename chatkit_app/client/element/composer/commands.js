/** "/" at the beginning: what the composer can do, and what the page adds to it, in menus and submenus. */
import { asLabel, asList, asObject, asText } from "../values.js";
import { matches } from "./suggestions.js";
import { asEntity } from "./tags.js";
/** @import {Command} from "@openai/chatkit" */
/** @import {StringKey} from "../host.js" */
/** @import {MenuEntry} from "../ui/menu.js" */
/** @import {Completion, Source, Token} from "./completion.js" */
/** @import {ComposerView} from "./composer.js" */
/** @import {Suggestion} from "./suggestions.js" */

/**
 * @param {unknown} value
 * @returns {Command[]} a list without what is no command
 */
function asCommands(value) {
  return asList(value).flatMap((entry) => {
    const { id, label, description, icon, group } = asObject(entry);
    const name = asLabel(label) || asLabel(id);
    const options = { description: asLabel(description), icon: icon && asText(icon), group: asLabel(group) };
    return asText(id) ? [/** @type {Command} */ ({ id: asText(id), label: name, ...options })] : [];
  });
}

/** @implements {Source} */
export class CommandSource {
  name = "commands";
  /** @type {Command[][]} the submenus that are open */
  #menus = [];

  /** @param {ComposerView} composer */
  constructor(composer) {
    this.composer = composer;
    this.chat = composer.chat;
  }

  label() {
    return this.chat.text("commands");
  }

  /** @param {string} before */
  find(before) {
    const query = /^\/(\S*)$/.exec(before)?.[1];
    return query === undefined || !this.chat.options.commands?.enabled ? null : { start: 0, query };
  }

  get completion() {
    return /** @type {Completion} */ (this.composer.extras.completion);
  }

  leave() {
    return Boolean(this.#menus.pop());
  }

  reset() {
    this.#menus = [];
  }

  /** @param {Token} token */
  options(token) {
    const menu = this.#menus.at(-1);
    const back = { label: this.chat.text("menuBack"), icon: "back", onPick: () => this.completion.back() };
    const options = menu ? menu.map((command) => this.#suggestion(command)) : this.#builtIn();
    return [...options.filter((option) => matches(option, token.query)), ...(menu ? [back] : [])];
  }

  /** @param {Token} token */
  async search(token) {
    if (this.#menus.length) return [];
    const found = await this.chat.options.commands?.onSearch?.(token.query);
    return asCommands(found).map((command) => this.#suggestion(command));
  }

  /** @returns {Suggestion[]} */
  #builtIn() {
    const { editor, extras } = this.composer;
    const { attachments, tools, models } = extras;
    const { chat } = this;
    /** @type {(key: StringKey, icon: string, onSelect: () => void) => MenuEntry} */
    const entry = (key, icon, onSelect) => ({ label: chat.text(key), icon, onSelect });
    /** @type {(MenuEntry & {group?: string})[]} */
    const entries = [...tools.entries(), ...models.entries().map((model) => ({ ...model, group: chat.text("model") }))];
    if (attachments.isOffered) entries.unshift(entry("attach", "paperclip", () => this.composer.openFiles()));
    if (extras.offersDictation) entries.push(entry("dictate", "microphone", () => this.composer.startDictation()));
    if (!chat.conversation.isNew) entries.push(entry("newChat", "compose", () => chat.newChat()));
    if (chat.options.history?.enabled !== false) entries.push(entry("history", "history", () => chat.showHistory()));
    return entries.flatMap(({ disabled, onSelect, ...option }) => {
      const onPick = (/** @type {Token} */ { start, end }) => {
        editor.insert("", start, end);
        onSelect();
      };
      return disabled ? [] : [{ ...option, onPick }];
    });
  }

  /**
   * @param {Command} command
   * @returns {Suggestion}
   */
  #suggestion(command) {
    const { label, description, icon, group } = command;
    return { label, description, icon, group, onPick: (token) => this.#select(command, token) };
  }

  /**
   * @param {Command} command
   * @param {Token} token
   */
  async #select(command, { start, end }) {
    const { editor } = this.composer;
    const { list: suggestions } = this.completion;
    const menus = this.#menus;
    editor.insert("", start, end);
    const textBefore = editor.text;
    suggestions.show(this.label(), [], this.chat.text("loading"));
    try {
      const { type, entity, commands } = asObject(await this.chat.options.commands?.onSelect?.(command));
      suggestions.hide();
      const tagged = type === "entity" && asEntity(entity);
      if (tagged) editor.insertTag(tagged);
      // Somebody who has gone on writing meanwhile wants no menu any more.
      else if (type === "menu" && editor.text === textBefore && editor.isFocused) {
        this.#menus = [...menus, asCommands(commands)];
        editor.insert("/", 0, 0);
      }
    } catch (error) {
      suggestions.hide();
      this.chat.log("composer.command.failed", { id: command.id, error: String(error) });
      this.composer.say(this.chat.text("error"));
    }
  }
}
