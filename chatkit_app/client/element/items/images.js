/** Images: a click shows one as large as the window. */
import { h, setAttribute, setChildren, setStyle, setText } from "../dom.js";
import { icon } from "../icons.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { imageNode } from "../ui/remote-image.js";
import { isOwn } from "../urls.js";
import { asNumber, asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { imageStyles } from "./images.css.js";
/** @import {Host} from "../host.js" */

addStyles({ images: imageStyles });

/**
 * Have an image enlarged by a click.
 *
 * @param {Host} host
 * @param {HTMLElement} slot what it is in, alone; the image may be one that is still to be asked for
 */
export function makeEnlargeable(host, slot) {
  const enclose = () => {
    if (slot.firstChild instanceof HTMLImageElement) slot.append(enlargeButton(host, slot.firstChild));
  };
  enclose();
  // One that was asked for has taken the place of its button by then.
  slot.firstChild?.addEventListener("click", enclose);
}

/** @param {Host} host @param {{src: unknown, alt: string}} image */
function enlargeableImage(host, image) {
  const slot = h("span", {}, imageNode(host, image));
  makeEnlargeable(host, slot);
  return slot;
}

/** @param {Host} host @param {HTMLImageElement} image */
function enlargeButton(host, image) {
  const button = h("button", { type: "button", class: "enlarge", onclick: enlarge }, image);
  nameButton(button, host.text("enlarge", { name: image.alt }));
  function enlarge() {
    const close = iconButton("close", () => {});
    nameButton(close, host.text("close"));
    const large = h("img", { src: image.src, alt: image.alt });
    const dialog = h("dialog", { class: "lightbox", part: "lightbox", "aria-label": image.alt }, large, close);
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    button.after(dialog);
    dialog.showModal();
  }
  return button;
}

/** An image that is being made, or has been. */
export class GeneratedImageView {
  #host;
  #url = "";

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.status = h("span", {});
    this.placeholder = h("div", { class: "image-placeholder" }, icon("square-image"), this.status);
    this.image = h("div", {});
    this.bar = h("div", { class: "image-progress", role: "progressbar", "aria-label": host.text("imageMaking") });
    this.download = h("div", {});
    this.link = h("a", { class: "download", download: true }, icon("download"), host.text("download"));
    const frame = h("div", { class: "generated", part: "generated-image" }, this.placeholder, this.image, this.bar);
    this.node = h("li", { class: "item", part: "item" }, frame, this.download);
  }

  /** @param {Record<string, any>} item @param {{isLive?: boolean}} [options] */
  update(item, { isLive = false } = {}) {
    const url = asText(asObject(item.image).url);
    const progress = Math.max(0, Math.min(asNumber(item.progress, url ? 1 : 0), 1));
    const isGrowing = isLive && progress < 1;
    this.placeholder.hidden = !!url;
    setAttribute(this.status, "class", isGrowing && "shimmer");
    setText(this.status, this.#host.text(isGrowing ? "imageMaking" : "imageMissing"));
    this.bar.hidden = !isGrowing;
    setAttribute(this.bar, "aria-valuenow", Math.round(progress * 100));
    setStyle(this.bar, "--progress", progress);
    if (url !== this.#url) this.#show(url);
    this.download.hidden = isGrowing;
  }

  /** @param {string} url */
  #show(url) {
    this.#url = url;
    const host = this.#host;
    const mayLoad = host.mayLoad(url);
    const shown = this.image.querySelector("img");
    // The last picture of it stays until the next one is there.
    if (shown && mayLoad) shown.src = url;
    else this.image.replaceChildren(...(url ? [enlargeableImage(host, { src: url, alt: host.text("image") })] : []));
    // Browsers save what is the site's own, and go where anything else is.
    setAttribute(this.link, "href", url);
    setChildren(this.download, mayLoad && isOwn(url) ? [this.link] : []);
  }
}

export const ITEM_VIEWS = { generated_image: GeneratedImageView };
