/** The page's own buttons above the conversation. */
import { icon } from "../icons.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { asLabel, asObject, asText } from "../values.js";
/** @import {Chat} from "../chat.js" */
/** @import {StringKey} from "../host.js" */

/** @type {[RegExp, StringKey][]} what the icons say, as the page gives them no names */
const NAMES = [
  [/^(sidebar|(collapse|open)-(left|right)|double-)/, "sidebar"],
  [/^expand/, "expand"],
  [/^collapse/, "collapse"],
  [/^(menu|hamburger|dots|grid)/, "menu"],
  [/^back/, "menuBack"],
  [/^home/, "home"],
  [/^close/, "close"],
  [/^settings/, "settings"],
  [/^share/, "share"],
  [/^light/, "lightMode"],
  [/^dark/, "darkMode"],
  [/^compose/, "newChat"],
  [/^history/, "conversations"],
];

/** One of them. It stays while the page sets options, since a press is lost on one that is made anew. */
export class HeaderAction {
  #chat;
  /** @type {Record<string, any>} */
  #option = {};

  /** @param {Chat} chat */
  constructor(chat) {
    this.#chat = chat;
    this.node = iconButton("", () => this.#option.onClick?.());
  }

  /** @param {unknown} option of the page */
  configure(option) {
    const button = this.node;
    this.#option = asObject(option);
    const name = asText(this.#option.icon);
    button.hidden = !name;
    if (button.dataset.icon !== name) button.replaceChildren(icon(name));
    button.dataset.icon = name;
    const key = NAMES.find(([pattern]) => pattern.test(name))?.[1];
    nameButton(button, asLabel(this.#option.label) || (key ? this.#chat.text(key) : name.replaceAll("-", " ")));
  }
}
