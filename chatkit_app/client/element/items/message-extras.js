/** What goes with a message: files, what it replies to, and tags in its text. */
import { h } from "../dom.js";
import { asLabel, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { attachmentList } from "./attachments.js";
import { messageExtraStyles } from "./message-extras.css.js";
/** @import {Host} from "../host.js" */

export { attachmentList };

addStyles({ messageExtras: messageExtraStyles });

/**
 * @param {Host} host
 * @param {Record<string, any>} item
 * @returns {{before: (Node|string)[], tag: (part: any) => Node}} what stands before the text, and what tags are
 */
export function messageExtras(host, { attachments, quoted_text }) {
  const quote = asText(quoted_text);
  const before = [
    attachmentList(host, attachments) ?? "",
    quote && h("blockquote", { class: "quoted", part: "quote", dir: "auto" }, quote),
  ];
  return { before, tag: (part) => tagNode(host, part) };
}

/** @param {Host} host @param {Record<string, any>} part */
function tagNode(host, { id, text, data, group, interactive }) {
  const title = asLabel(text);
  if (!interactive) return h("span", { class: "tag", part: "tag", dir: "auto" }, title);
  const entity = { id: asText(id), title, group: asLabel(group), data: asObject(data), interactive: true };
  const onclick = () => host.clickEntity(entity);
  const button = h("button", { type: "button", class: "tag", part: "tag", dir: "auto", onclick }, title);
  // Without it, a press still tells the page.
  const attach = host
    .load("sources")
    .then(({ attachCard, entityCard }) => attachCard(button, () => entityCard(host, entity)));
  attach.catch(() => {});
  return button;
}
