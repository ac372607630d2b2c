/** The user's last message, being edited where it stands. Its files, its quotation and what was chosen for it stay. */
import { h, setAttribute } from "../dom.js";
import { addStyles } from "../style-sheet.js";
import { asList } from "../values.js";
import { messageEditorStyles } from "./message-editor.css.js";
/** @import {Chat} from "../chat.js" */
/** @import {AnyItem} from "../items.js" */

addStyles({ messageEditor: messageEditorStyles });

/**
 * Enter sends it, Escape leaves it as it was.
 *
 * @param {Chat} chat
 * @param {AnyItem} item
 * @param {object} place
 * @param {Element} place.node the item's
 * @param {HTMLElement} place.button what has the focus again when nothing is sent
 * @param {any[]} [place.content] what it begins with, in place of what the message says
 * @param {(content: any[]) => unknown} place.onRefused takes what was written, which the server did not
 */
export function editMessage(chat, item, { node, button, content, onRefused }) {
  if (node.querySelector(":scope > .message-editor")) return;
  const { composer, thread } = chat.frame;
  const editor = composer.createEditor(() => setAttribute(send, "aria-disabled", String(!isSendable())));
  const cancel = h("button", { type: "button", class: "button", onclick: () => end() }, chat.text("cancel"));
  const send = h("button", { type: "submit", class: "button", "data-kind": "primary" }, chat.text("send"));
  const row = h("div", { class: "message-editor-row" }, cancel, send);
  const form = h("form", { class: "message-editor", part: "message-editor" }, editor.node, row);
  const isSendable = () => !editor.isEmpty || asList(item.attachments).length > 0;
  const end = () => {
    form.remove();
    if (button.isConnected) button.focus();
  };
  const submit = async () => {
    if (!isSendable()) return;
    const written = editor.content;
    form.remove();
    composer.focus();
    await chat.send({
      content: written,
      attachments: asList(item.attachments),
      quotedText: item.quoted_text,
      inferenceOptions: item.inference_options,
      replaces: item.id,
    });
    if (chat.conversation.items.some(({ id }) => id === item.id)) await onRefused(written);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener("keydown", (event) => {
    if (editor.isComposing(event)) return;
    if (event.key === "Escape") end();
    else if (event.key === "Enter" && !event.shiftKey && event.target === editor.input) submit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  setAttribute(editor.input, "aria-label", chat.text("editMessage"));
  node.append(form);
  editor.content = content ?? asList(item.content);
  editor.input.focus();
  editor.input.setSelectionRange(editor.text.length, editor.text.length);
  thread.editor = form;
  form.scrollIntoView({ block: "nearest" });
}
