/** URLs in what others have written: where they may lead to, and what may be loaded of them. */

const FOLLOWED = new Set(["http:", "https:", "mailto:", "tel:", "chatkit-link:"]);
const IMAGES = /^(?:blob:|data:image\/(?:png|jpeg|gif|webp|avif);)/i;

/**
 * @param {unknown} text
 * @returns {URL|null}
 */
function parse(text) {
  try {
    return new URL(String(text), document.baseURI);
  } catch {
    return null;
  }
}

/**
 * @param {unknown} text a URL out of a message
 * @returns {string|null} the same, if it is one that a user may be led to
 */
export function safeUrl(text) {
  const url = typeof text === "string" ? parse(text) : null;
  return url && FOLLOWED.has(url.protocol) ? url.href : null;
}

/**
 * @param {unknown} text a URL
 * @returns {boolean} whether it is one of the page's own site, or holds what it names
 */
export function isOwn(text) {
  const url = parse(text);
  return !!url && (/^(?:data|blob):$/.test(url.protocol) || url.origin === location.origin);
}

/**
 * @param {unknown} text the URL of an image
 * @param {unknown} domains hosts that the thread allows images from
 * @returns {boolean} whether it may be loaded unasked: loading an image tells its host who reads, when and where
 */
export function isLoadable(text, domains) {
  if (typeof text !== "string") return false;
  if (IMAGES.test(text)) return true;
  const url = parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) return false;
  return url.origin === location.origin || (Array.isArray(domains) && domains.includes(url.hostname));
}
