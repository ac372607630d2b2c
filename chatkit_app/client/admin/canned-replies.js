/** What staff say often: "/" and the beginning of a word in the reply offer it, as a list for the keyboard. */

const WANTED = /(?:^|\s)\/([\p{L}\p{N}_-]*)$/u;
const MAX_SHOWN = 8;

/** @typedef {{shortcut: string, title: string, text: string}} CannedReply */

export class CannedReplies {
  #field;
  #url;
  #strings;
  #list = document.createElement("ul");
  #status = document.createElement("p");
  /** @type {Promise<CannedReply[]>|null} */
  #replies = null;
  /** @type {CannedReply[]} those that are offered */
  #shown = [];
  #active = 0;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {string} url
   * @param {Record<string, string>} strings
   */
  constructor(field, url, strings) {
    this.#field = field;
    this.#url = url;
    this.#strings = strings;
    Object.assign(this.#list, { id: "chatkit-canned", className: "chatkit-canned", hidden: true });
    this.#list.setAttribute("role", "listbox");
    this.#list.setAttribute("aria-label", strings.canned);
    this.#status.className = "visually-hidden";
    this.#status.setAttribute("role", "status");
    field.after(this.#list, this.#status);
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", this.#list.id);
    field.addEventListener("input", () => this.#offer());
    field.addEventListener("blur", () => this.#close());
    // Before the field loses the focus.
    this.#list.addEventListener("mousedown", (event) => this.#press(event));
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the list has taken it
   */
  takes(event) {
    if (this.#list.hidden || event.isComposing) return false;
    const { length } = this.#shown;
    if (event.key === "ArrowDown") this.#activate((this.#active + 1) % length);
    else if (event.key === "ArrowUp") this.#activate((this.#active + length - 1) % length);
    else if (event.key === "Escape") this.#close();
    else if (["Enter", "Tab"].includes(event.key) && !event.ctrlKey && !event.metaKey && !event.shiftKey)
      this.#insert();
    else return false;
    event.preventDefault();
    return true;
  }

  async #offer() {
    if (this.#wanted === null) {
      this.#close();
      return;
    }
    const replies = await this.#load();
    // Somebody may have written on meanwhile.
    const wanted = this.#wanted?.toLocaleLowerCase();
    if (wanted === undefined) return;
    const found = replies.filter(
      ({ shortcut, title }) =>
        shortcut.toLocaleLowerCase().startsWith(wanted) || title.toLocaleLowerCase().includes(wanted),
    );
    this.#show(found.slice(0, MAX_SHOWN));
  }

  /** @returns {string|null} what follows the "/" before the caret; null where there is none */
  get #wanted() {
    const { selectionStart, selectionEnd, value } = this.#field;
    if (selectionStart !== selectionEnd) return null;
    return WANTED.exec(value.slice(0, selectionStart))?.[1] ?? null;
  }

  async #load() {
    this.#replies ??= fetch(this.#url).then(async (response) => {
      if (!response.ok) throw new Error(`The server answers with ${response.status}.`);
      return (await response.json()).replies;
    });
    try {
      return await this.#replies;
    } catch (error) {
      console.warn("The canned replies could not be loaded.", error);
      this.#replies = null;
      return [];
    }
  }

  /** @param {CannedReply[]} replies */
  #show(replies) {
    this.#shown = replies;
    if (!replies.length) {
      this.#close();
      return;
    }
    this.#list.replaceChildren(...replies.map((reply, index) => option(reply, index)));
    this.#list.hidden = false;
    this.#status.textContent = this.#strings.cannedFound.replace("{count}", String(replies.length));
    this.#activate(0);
  }

  #close() {
    this.#list.hidden = true;
    this.#status.textContent = "";
    this.#field.removeAttribute("aria-activedescendant");
  }

  /** @param {number} index */
  #activate(index) {
    this.#active = index;
    [...this.#list.children].forEach((node, place) => node.setAttribute("aria-selected", String(place === index)));
    this.#field.setAttribute("aria-activedescendant", `chatkit-canned-${index}`);
    this.#list.children[index]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {MouseEvent} event */
  #press(event) {
    event.preventDefault();
    const node = /** @type {Element} */ (event.target).closest("[role=option]");
    const index = node ? [...this.#list.children].indexOf(node) : -1;
    if (index === -1) return;
    this.#active = index;
    this.#insert();
  }

  #insert() {
    const { selectionStart: end } = this.#field;
    const start = end - (this.#wanted?.length ?? 0) - 1;
    this.#close();
    this.#field.setRangeText(this.#shown[this.#active].text, start, end, "end");
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/**
 * @param {CannedReply} reply
 * @param {number} index
 */
function option({ shortcut, title, text }, index) {
  const node = document.createElement("li");
  node.id = `chatkit-canned-${index}`;
  node.setAttribute("role", "option");
  const parts = { code: `/${shortcut}`, strong: title, span: text };
  for (const [tag, content] of Object.entries(parts)) {
    const part = document.createElement(tag);
    part.textContent = content;
    if (tag !== "code") part.dir = "auto";
    node.append(part, " ");
  }
  return node;
}
