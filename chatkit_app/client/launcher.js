/**
 * `<chatkit-launcher>`: a button in the corner of the page, and the chat behind it.
 *
 * `{% chatkit launcher=True %}` makes one. What makes the chat is in its `<template>`, and comes into the page when it is
 * first opened. It opens and closes by `open()`, `close()` and `toggle()`, and by a page's button with `commandfor` and
 * the command `--open`, `--close` or `--toggle`. It tells of that, and of what has not been seen, in the events
 * `chatkit.launcher.open`, `chatkit.launcher.close` and `chatkit.launcher.unread`.
 *
 * @import {Configuration, PageConfig, PageElement} from "./config.js"
 */
import { h, setAttribute, setText } from "./element/dom.js";
import { closeBySwipe } from "./element/ui/swipe.js";
import { launcherStyles } from "./launcher/launcher.css.js";
import { LauncherMemory } from "./launcher/memory.js";
/** @import {News} from "./launcher/news.js" */

export const TAG = "chatkit-launcher";

/** Where the chat fills the screen. */
const PHONE = matchMedia("(width < 40rem), (height < 28rem)");
/** Whose first focus would bring up a keyboard on the screen. */
const TOUCH = matchMedia("(pointer: coarse)");
/** So many are counted. */
const MANY = 9;

const BUBBLE =
  "M12 3.25c-5.4 0-9.75 3.6-9.75 8.25 0 2.5 1.3 4.7 3.3 6.2-.1 1-.5 2-1.2 2.8-.3.3 0 .8.4.75 2-.2 3.7-.9 5-1.7.7.1 1.5.2 2.25.2 5.4 0 9.75-3.6 9.75-8.25S17.4 3.25 12 3.25z";
const CHEVRON = "M5.5 9 12 15.5 18.5 9";
const CROSS = "M6 6l12 12M18 6 6 18";

/** @type {CSSStyleSheet|undefined} */
let sheet;

export class ChatKitLauncher extends HTMLElement {
  static observedAttributes = ["data-open", "data-close", "data-unread", "data-label"];

  #unread = 0;
  #hasLoaded = false;
  /** @type {PromiseWithResolvers<PageElement|null>} */
  #ready = Promise.withResolvers();
  /** @type {LauncherMemory|null} */
  #memory = null;
  /** @type {News|null} */
  #news = null;
  /** @type {Element|null} what had the focus when it was opened */
  #before = null;
  /** @type {AbortController|null} ends what is listened to outside */
  #connection = null;

  constructor() {
    super();
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(launcherStyles);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.badge = h("span", { class: "badge", part: "badge", "aria-hidden": "true", hidden: true });
    const icons = [drawing(BUBBLE, "closed"), drawing(CHEVRON, "opened")];
    const press = { type: "button", part: "button", "aria-haspopup": "dialog", onclick: () => this.toggle() };
    this.button = h("button", { ...press, class: "button" }, ...icons, this.badge);
    this.cross = h(
      "button",
      { type: "button", class: "cross", part: "close", onclick: () => this.close() },
      drawing(CROSS),
    );
    this.bar = h("div", { class: "bar", part: "bar" }, this.cross);
    this.content = h("div", { class: "content", tabindex: "-1" }, this.bar, h("slot"));
    this.panel = h("dialog", { part: "panel" }, this.content);
    this.status = h("span", { class: "status", role: "status" });
    root.append(this.button, this.panel, this.status);
    for (const name of ["pointerenter", "focus"])
      this.button.addEventListener(name, () => this.#fetchEarly(), { once: true });
    this.panel.addEventListener("cancel", (event) => (event.preventDefault(), this.close()));
    this.panel.addEventListener("keydown", (event) => this.#onKeyDown(event));
    closeBySwipe(this.panel, {
      toward: "down",
      find: (event) => (PHONE.matches && event.composedPath().some(isHeader) ? this.panel : null),
      onSwiped: () => this.close(),
    });
    this.addEventListener("command", (event) => this.#obey(/** @type {any} */ (event).command));
    // Those of the chat do not bubble; and another element may have taken its place.
    this.addEventListener("chatkit.ready", () => this.#onReady(), { capture: true });
  }

  connectedCallback() {
    if (this.#connection) return;
    const { signal } = (this.#connection = new AbortController());
    PHONE.addEventListener("change", () => this.#onResize(), { signal });
    addEventListener("pagehide", () => this.#leavePage(), { signal });
    // In the copy that a cache of pages has made, the chat is a dead one.
    if (!this.#hasLoaded) for (const node of [...this.children]) if (!node.matches("template")) node.remove();
    const config = this.#config();
    if (config?.persist) this.#memory = new LauncherMemory(config.persist);
    this.#paint(config);
    if (this.isOpen) this.#show();
    else if (this.#memory?.isOpen && !PHONE.matches) this.open({ focus: false });
    else this.#watch();
  }

  disconnectedCallback() {
    // Not when it is only moved to another place.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#leavePage();
      this.#connection?.abort();
      this.#connection = null;
      this.#rest();
    });
  }

  attributeChangedCallback() {
    this.#name();
  }

  /** The chat's own element; null until it was opened, and for a visitor who has to log in first. */
  get chat() {
    return /** @type {PageElement|null} */ (this.querySelector("openai-chatkit"));
  }

  get isOpen() {
    return this.panel.open;
  }

  /** How many messages have come that were not seen yet, as far as they are counted. */
  get unread() {
    return this.#unread;
  }

  /**
   * Open it. It may be open already.
   *
   * @param {{focus?: boolean}} [how]
   * @returns {Promise<PageElement|null>} the chat, once it can be talked to
   */
  async open({ focus = true } = {}) {
    if (!this.isOpen) {
      this.#before = focusedElement();
      this.#load();
      this.#rest();
      this.#count(0);
      if (this.#memory) this.#memory.isOpen = true;
      this.#show();
      this.#tell("open");
    }
    if (focus) this.#focus();
    return this.#ready.promise;
  }

  close() {
    if (!this.isOpen) return;
    const hadFocus = this.matches(":focus-within");
    this.panel.close();
    this.#update();
    if (this.#memory) this.#memory.isOpen = false;
    this.#leavePage();
    const before = /** @type {HTMLElement|null} */ (this.#before);
    if (hadFocus) (before?.isConnected && before !== document.body ? before : this.button).focus();
    this.#tell("close");
    this.#watch();
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  /**
   * Have the chat's own header close it where that fills the screen.
   *
   * @param {Parameters<Configuration>[0]} options
   */
  configure(options) {
    const header = { ...options.header };
    for (const name of /** @type {const} */ (["leftAction", "rightAction"])) {
      if (header[name]?.onClick === this.#close) delete header[name];
    }
    const place = /** @type {const} */ (["leftAction", "rightAction"]).find((name) => !header[name]);
    const closes = PHONE.matches && header.enabled !== false && place;
    if (closes) header[place] = { icon: "close", onClick: this.#close };
    if (closes || options.header) options.header = header;
    this.bar.dataset.spare = String(Boolean(closes));
  }

  #close = () => this.close();

  get #template() {
    return /** @type {HTMLTemplateElement|null} */ (this.querySelector(":scope > template"));
  }

  /** @returns {PageConfig|null} */
  #config() {
    const data = this.#template?.content.querySelector('openai-chatkit > script[type="application/json"]')?.textContent;
    return data ? JSON.parse(data) : null;
  }

  /** Bring the chat into the page, whose scripts start it. */
  #load() {
    const template = this.#template;
    if (this.#hasLoaded || !template) return;
    this.#hasLoaded = true;
    this.append(document.importNode(template.content, true));
    if (this.chat) return;
    // It says that one has to log in.
    this.#ready.resolve(null);
    this.content.dataset.ready = "";
  }

  /** What it takes may be on its way while the pointer still is. */
  #fetchEarly() {
    const template = this.#template;
    if (this.#hasLoaded || !template) return;
    for (const script of template.content.querySelectorAll("script[src]")) {
      const link = h("link", { rel: "modulepreload", href: script.getAttribute("src") });
      link.nonce = /** @type {HTMLScriptElement} */ (script).nonce;
      document.head.append(link);
    }
  }

  #onReady() {
    const { chat } = this;
    this.#ready.resolve(chat);
    this.content.dataset.ready = "";
    if (this.isOpen && this.shadowRoot?.activeElement === this.content) this.#focus();
  }

  #show() {
    // Anew, as the other kind of dialog; and one that is inert takes no focus by itself.
    this.panel.close();
    this.panel.inert = true;
    if (PHONE.matches) this.panel.showModal();
    else this.panel.show();
    this.panel.inert = false;
    this.#fit();
    this.#update();
  }

  #onResize() {
    if (this.#hasLoaded) configureAll();
    if (!this.isOpen) return;
    const had = focusedElement();
    this.#show();
    /** @type {HTMLElement|null} */ (had)?.focus();
  }

  /** A keyboard on the screen takes its place from what can be seen, and from nothing else. */
  #fit = () => {
    const view = globalThis.visualViewport;
    const isWanted = this.isOpen && PHONE.matches && view;
    view?.removeEventListener("resize", this.#fit);
    view?.removeEventListener("scroll", this.#fit);
    this.panel.style.removeProperty("--view-height");
    this.panel.style.removeProperty("--view-top");
    if (!isWanted) return;
    view.addEventListener("resize", this.#fit);
    view.addEventListener("scroll", this.#fit);
    // Who has zoomed in moves about in all of it.
    if (view.scale > 1.01) return;
    this.panel.style.setProperty("--view-height", `${view.height}px`);
    this.panel.style.setProperty("--view-top", `${view.offsetTop}px`);
  };

  #focus() {
    if (this.chat?.focusComposer && "ready" in this.content.dataset && !TOUCH.matches) this.chat.focusComposer();
    else this.content.focus();
  }

  /** @param {KeyboardEvent} event */
  #onKeyDown(event) {
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
    // A menu or a question in the chat is closed before the chat is.
    if (this.chat?.shadowRoot?.querySelector(":popover-open, dialog[open]")) return;
    event.preventDefault();
    this.close();
  }

  /** @param {string} command */
  #obey(command) {
    if (command === "--open") this.open();
    else if (command === "--close") this.close();
    else if (command === "--toggle") this.toggle();
  }

  // What has not been seen

  /** What is in the thread when one goes has been seen. */
  #leavePage() {
    if (this.#hasLoaded && this.#memory && (this.isOpen || !this.#news)) this.#memory.forgetSeen();
  }

  /** Count what comes while it is closed. */
  async #watch() {
    const config = this.#config();
    const thread = this.#memory?.thread;
    if (!config || !thread || this.#news) return;
    const { News } = await import("./launcher/news.js");
    if (this.isOpen || this.#news || !this.isConnected) return;
    this.#news = new News(config, thread, /** @type {LauncherMemory} */ (this.#memory), (count) => this.#count(count));
    this.#news.start();
  }

  #rest() {
    this.#news?.stop();
    this.#news = null;
  }

  /** @param {number} unread */
  #count(unread) {
    if (unread === this.#unread) return;
    this.#unread = unread;
    this.#update();
    setText(this.status, unread ? this.#unreadText : "");
    this.#tell("unread", { count: unread });
  }

  get #unreadText() {
    const count = this.#unread > MANY ? `${MANY}+` : String(this.#unread);
    return (this.dataset.unread ?? "").replace("{count}", count);
  }

  // What it looks like

  #update() {
    const { isOpen } = this;
    this.toggleAttribute("data-opened", isOpen);
    this.badge.hidden = isOpen || !this.#unread;
    setText(this.badge, this.#unread > MANY ? `${MANY}+` : String(this.#unread || ""));
    this.#name();
  }

  #name() {
    const { open = "", close = "", label = "" } = this.dataset;
    const name = this.isOpen ? close : [open, this.#unread && this.#unreadText].filter(Boolean).join(". ");
    setAttribute(this.button, "aria-label", name);
    setAttribute(this.cross, "aria-label", close);
    setAttribute(this.panel, "aria-label", label);
  }

  /** @param {PageConfig|null} config */
  #paint(config) {
    const theme = config?.options.theme;
    const { color, colorScheme } = /** @type {any} */ (typeof theme === "object" ? theme : { colorScheme: theme });
    const accent = color?.accent?.primary;
    if (accent) this.button.style.setProperty("--theme-accent", accent);
    // As the chat will be, so that nothing flashes when it is there.
    this.panel.style.colorScheme = colorScheme === "dark" ? "dark" : "light";
    const surface = color?.surface?.background;
    if (surface) this.panel.style.setProperty("--theme-surface", surface);
  }

  /**
   * @param {string} what
   * @param {Record<string, unknown>} [detail]
   */
  #tell(what, detail) {
    this.dispatchEvent(new CustomEvent(`chatkit.launcher.${what}`, { bubbles: true, detail }));
  }
}

/**
 * @param {string} path
 * @param {string} [name]
 */
function drawing(path, name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  if (name) svg.setAttribute("class", name);
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** What has the focus, in whatever shadow it is. */
function focusedElement() {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  return focused;
}

/** @param {EventTarget} node */
function isHeader(node) {
  return node instanceof Element && node.matches("[part~=header], [part~=bar]");
}

function configureAll() {
  (window.chatkitConfigure ??= []).push((options, element) => {
    /** @type {ChatKitLauncher|null} */ (element.closest(TAG))?.configure(options);
  });
}

// A second copy of this module (another URL after a deployment, say) leaves all to the first.
if (!customElements.get(TAG)) {
  configureAll();
  customElements.define(TAG, ChatKitLauncher);
}
