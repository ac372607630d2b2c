/** The title of a thread, being edited where it stands. */
import { h, setAttribute, setText } from "../dom.js";
import { addStyles } from "../style-sheet.js";
import { asLabel } from "../values.js";
import { titleEditorStyles } from "./title-editor.css.js";
/** @import {Chat} from "../chat.js" */
/** @import {HeaderView} from "../views/header.js" */

addStyles({ titleEditor: titleEditorStyles });

const MAX_LENGTH = 200;

/**
 * Enter and leaving the field save it, Escape does not; a title that is refused stays, with the reason.
 *
 * @param {Chat} chat
 * @param {{id: string, title?: string}} thread
 * @param {(hadFocus: boolean) => void} onEnd what takes its place again
 * @returns {HTMLElement} to be put into the document and `.focus()`ed
 */
export function titleEditor(chat, thread, onEnd) {
  const title = asLabel(thread.title);
  const input = h("input", {
    class: "text-field",
    dir: "auto",
    value: title,
    maxlength: MAX_LENGTH,
    enterkeyhint: "done",
    "aria-label": chat.text("threadTitle"),
  });
  const problem = h("p", { class: "title-problem", role: "alert", dir: "auto" });
  const node = h("div", { class: "title-editor" }, input, problem);
  const refuse = (/** @type {string} */ reason) => {
    setText(problem, reason);
    setAttribute(input, "aria-invalid", "true");
  };
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    onEnd(node.matches(":focus-within"));
  };
  const save = async () => {
    const wanted = asLabel(input.value);
    if (isOver || input.readOnly) return;
    if (wanted === title) return end();
    if (!wanted) return refuse(chat.text("titleMissing"));
    input.readOnly = true;
    try {
      await chat.renameThread(thread.id, wanted);
      thread.title = wanted;
      end();
    } catch (error) {
      refuse((error instanceof Error && error.name === "TransportError" && error.message) || chat.text("renameFailed"));
    }
    input.readOnly = false;
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") save();
    else if (event.key === "Escape") end();
    else return;
    event.preventDefault();
  });
  input.addEventListener("focus", () => input.select(), { once: true });
  input.addEventListener("blur", () => (input.value.trim() ? save() : end()));
  return node;
}

/**
 * Edit the title above the conversation, in its place.
 *
 * @param {HeaderView} header
 */
export function editTitle(header) {
  const { chat, rename, title } = header;
  const { thread } = chat.conversation;
  if (!thread || header.editor) return;
  const end = (hadFocus = false) => {
    // Its removal takes the focus from it, which ends it once more.
    if (!header.editor) return;
    header.editor = null;
    title.hidden = false;
    node.remove();
    if (hadFocus) rename.focus();
  };
  const node = titleEditor(chat, thread, end);
  header.editor = { threadId: thread.id, end };
  title.hidden = true;
  title.after(node);
  node.querySelector("input")?.focus();
}
