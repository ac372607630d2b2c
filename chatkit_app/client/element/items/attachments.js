/** The files of a message: pictures, and names of the others, which lead to them where that is known. */
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { link } from "../ui/link.js";
import { imageNode } from "../ui/remote-image.js";
import { asLabel, asList, asObject, asText } from "../values.js";
/** @import {Host} from "../host.js" */

/**
 * @param {Host} host
 * @param {unknown} attachments
 * @returns {HTMLElement|null} null for a message without any
 */
export function attachmentList(host, attachments) {
  const nodes = asList(attachments).map((attachment) => attachmentNode(host, asObject(attachment)));
  return nodes.length ? h("ul", { class: "attachments", role: "list", part: "attachments" }, ...nodes) : null;
}

/** @param {Host} host @param {Record<string, any>} attachment */
function attachmentNode(host, { name, type, mime_type: mimeType, preview_url: src, url }) {
  const alt = asLabel(name);
  if (type === "image" && asText(src)) {
    const node = h("li", { class: "attached-image" }, imageNode(host, { src, alt }));
    const enclose = host.load("images").then(({ makeEnlargeable }) => makeEnlargeable(host, node));
    enclose.catch(() => {});
    return node;
  }
  const title = h("span", { class: "ellipsis", dir: "auto", title: alt }, alt);
  return h(
    "li",
    { class: "attached-file" },
    icon(type === "image" ? "square-image" : "document"),
    link(host, url, title) ?? title,
    h("span", { class: "muted" }, kindOf(alt, asLabel(mimeType))),
  );
}

/** @param {string} name @param {string} mimeType @returns {string} the kind of file, in a few letters */
function kindOf(name, mimeType) {
  const extension = /\.(\w{1,5})$/.exec(name)?.[1] ?? mimeType.split("/").at(-1) ?? "";
  return extension.slice(0, 12).toUpperCase();
}
