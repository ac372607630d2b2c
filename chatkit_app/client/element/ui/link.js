/** Links in what others have written. */
import { h } from "../dom.js";
import { safeUrl } from "../urls.js";
/** @import {Host} from "../host.js" */

/**
 * @param {Host} host
 * @param {unknown} text the URL
 * @param {...(Node|string)} children
 * @returns {HTMLAnchorElement|null} null for a URL that nobody should be led to
 */
export function link(host, text, ...children) {
  const url = safeUrl(text);
  if (!url) return null;
  const target = url.startsWith("chatkit-link:") ? null : "_blank";
  const onclick = (/** @type {MouseEvent} */ event) => host.followLink(event);
  return h("a", { href: url, target, rel: "noopener noreferrer nofollow", onclick }, ...children);
}
