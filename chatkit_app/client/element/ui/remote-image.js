/** Images: those of this site at once, those of others when somebody asks for them. */
import { h } from "../dom.js";
import { asLabel, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { remoteImageStyles } from "./remote-image.css.js";
/** @import {Host} from "../host.js" */

addStyles({ remoteImage: remoteImageStyles });

/**
 * @param {Host} host
 * @param {{src: unknown, alt?: unknown, className?: string}} image
 * @returns {HTMLElement} an image; or a button in its place, which loads it; or its name where it has no URL
 */
export function imageNode(host, { src, alt, className = "" }) {
  const url = asText(src);
  const name = asLabel(alt);
  const image = () => h("img", { src: url, alt: name, class: className, loading: "lazy", decoding: "async" });
  if (host.mayLoad(url)) return image();
  const site = hostname(url);
  if (!site) return h("span", { class: `remote-image ${className}` }, name || host.text("image"));
  const button = h(
    "button",
    { type: "button", class: `remote-image ${className}`, onclick: () => button.replaceWith(image()) },
    host.text("showImage", { site }),
    name ? h("span", { class: "visually-hidden" }, ` ${name}`) : null,
  );
  return button;
}

/**
 * @param {string} text
 * @returns {string|null}
 */
function hostname(text) {
  try {
    const url = new URL(text, document.baseURI);
    return /^https?:$/.test(url.protocol) ? url.hostname : null;
  } catch {
    return null;
  }
}
