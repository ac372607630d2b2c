/** What goes with a message: a tool, one at a time, and a model. */
import { h, setAttribute, setChildren, setText } from "../dom.js";
import { icon } from "../icons.js";
import { Menu } from "../ui/menu.js";
import { asLabel, asList, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { choiceStyles } from "./choices.css.js";
/** @import {ModelOption, ToolOption} from "@openai/chatkit" */
/** @import {Chat} from "../chat.js" */
/** @import {MenuEntry} from "../ui/menu.js" */

addStyles({ choices: choiceStyles });

/**
 * @template {{id: string, label: string}} Option
 * @param {Option[]|undefined} options of the page
 * @returns {Option[]} those that have an id
 */
function named(options) {
  return asList(options)
    .map(({ id, label, ...option }) => ({ ...option, id: asText(id), label: asLabel(label) || asLabel(id) }))
    .filter(({ id }) => id);
}

/** @param {HTMLButtonElement} button @param {() => MenuEntry[]} entries @returns {Menu} the one that the composer's plus opens */
export function plusMenu(button, entries) {
  return new Menu(button, entries, { above: true });
}

/** @param {Chat} chat */
function isWithStaff(chat) {
  return Boolean(chat.conversation.thread?.handler);
}

/** The tools: those that are pinned, and the one that is chosen. */
export class ToolChoice {
  /** @type {ToolOption[]} */
  all = [];
  /** @type {ToolOption|null} */
  #selected = null;
  /** @type {HTMLButtonElement[]} */
  #buttons = [];

  /**
   * @param {Chat} chat
   * @param {() => void} onChange
   */
  constructor(chat, onChange) {
    this.chat = chat;
    this.onChange = onChange;
    this.node = h("span", { class: "tools" });
  }

  /** The one that goes with the next message; none with one to a person. */
  get selected() {
    return isWithStaff(this.chat) ? null : this.#selected;
  }

  configure() {
    this.all = named(this.chat.options.composer?.tools);
    /** @type {Map<string, HTMLButtonElement>} */
    const known = new Map(this.#buttons.map((button) => [button.dataset.tool ?? "", button]));
    this.#buttons = this.all.map((tool) => this.#button(tool, known.get(tool.id)));
    const id = this.#selected?.id;
    this.#selected = this.all.find((tool) => tool.id === id) ?? null;
    if (id && !this.#selected) this.#changed();
    this.#draw();
  }

  get hasUnpinned() {
    return this.all.some(({ pinned }) => !pinned);
  }

  /**
   * @param {boolean} [unpinnedOnly]
   * @returns {MenuEntry[]} those for a menu
   */
  entries(unpinnedOnly = false) {
    return this.all.flatMap((tool) => {
      const { id, label, icon, pinned } = tool;
      const checked = tool === this.#selected;
      return pinned && unpinnedOnly ? [] : [{ label, icon, checked, onSelect: () => this.select(checked ? null : id) }];
    });
  }

  /** @param {string|null} id */
  select(id) {
    const tool = this.all.find((other) => other.id === id) ?? null;
    if (tool === this.#selected || (id && !tool)) return;
    this.#selected = tool;
    this.#draw();
    this.#changed();
  }

  #changed() {
    this.chat.dispatch("chatkit.tool.change", { toolId: this.#selected?.id ?? null });
    this.onChange();
  }

  #draw() {
    const shown = this.all.flatMap((tool, index) => {
      const button = this.#buttons[index];
      setAttribute(button, "aria-pressed", String(tool === this.#selected));
      return tool.pinned || tool === this.#selected ? [button] : [];
    });
    setChildren(this.node, shown);
  }

  /**
   * @param {ToolOption} tool
   * @param {HTMLButtonElement} [known] the one that it has: a press is lost on one that is made anew
   */
  #button({ id, label, shortLabel, icon: name }, known) {
    const button = known ?? this.#newButton(id);
    setAttribute(button, "title", label);
    button.replaceChildren(
      icon(name),
      h("span", { class: "tool-label", dir: "auto" }, asLabel(shortLabel) || label),
      icon("close"),
    );
    return button;
  }

  /** @param {string} id */
  #newButton(id) {
    const onclick = () => {
      const wasSelected = this.#selected?.id === id;
      this.select(wasSelected ? null : id);
      // Where the focus is may just have gone.
      if (wasSelected) this.chat.frame.composer.focus();
    };
    return h("button", { type: "button", class: "tool", part: "tool", "data-tool": id, onclick });
  }
}

/** The model, chosen from a menu. */
export class ModelChoice {
  /** @type {ModelOption[]} */
  all = [];
  /** @type {ModelOption|undefined} */
  #selected;

  /** @param {Chat} chat */
  constructor(chat) {
    this.chat = chat;
    this.name = h("span", { class: "tool-label", dir: "auto" });
    this.node = h("button", { type: "button", class: "tool model", part: "model" }, this.name, icon("chevron-down"));
    new Menu(this.node, () => this.entries(), { above: true, alignEnd: true });
  }

  /** The one that is to answer the next message, where that is not a person. */
  get selected() {
    return isWithStaff(this.chat) ? undefined : this.#selected;
  }

  configure() {
    this.all = named(this.chat.options.composer?.models);
    const enabled = this.all.filter(({ disabled }) => !disabled);
    const id = this.#selected?.id;
    this.#selected = enabled.find((model) => model.id === id) ?? enabled.find((model) => model.default) ?? enabled[0];
    this.#draw();
  }

  /** @returns {MenuEntry[]} */
  entries() {
    return this.all.map(({ id, label, description, disabled }) => {
      const checked = id === this.#selected?.id;
      return { label, description: asLabel(description), disabled, checked, onSelect: () => this.select(id) };
    });
  }

  /** @param {string} id */
  select(id) {
    this.#selected = this.all.find((model) => model.id === id && !model.disabled) ?? this.#selected;
    this.#draw();
  }

  #draw() {
    this.node.hidden = !this.all.length;
    const label = this.#selected?.label ?? this.chat.text("model");
    setText(this.name, label);
    setAttribute(this.node, "aria-label", `${this.chat.text("model")}: ${label}`);
  }
}
