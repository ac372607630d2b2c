/**
 * Brings every `{% chatkit %}` of the page to life: reads its JSON, loads the client and gives it its options.
 *
 * Page code adds options that are functions through `window.chatkitConfigure`, at any time:
 *
 *     (window.chatkitConfigure ??= []).push((options, element) => { options.onClientTool = … });
 *
 * @import {Configuration, PageElement} from "./config.js"
 */
import { PageChat, UNAVAILABLE } from "./page-chat.js";
// What that one imports: named here, the browser asks for all of it at once.
import "./drafts.js";
import "./fetch.js";
import "./line.js";
import "./live.js";
import "./loader.js";
import "./locale.js";
import "./options.js";
import "./refusals.js";
import "./thread-memory.js";

const UNSTARTED = 'openai-chatkit[data-chatkit=""]';

/** @type {Set<WeakRef<PageChat>>} held by their elements: with one that is taken out of the page for good, its chat goes */
const chats = new Set();
/** @type {Configuration[]} */
const configurations = [];

/** Takes the place of the array, so that pushing works before and after this module has run. */
const configure = {
  /** @param {Configuration[]} added */
  push(...added) {
    configurations.push(...added);
    for (const chat of livingChats()) for (const configuration of added) chat.configure(configuration);
    return configurations.length;
  },
};

/** Those in the page. */
function livingChats() {
  return [...chats].flatMap((held) => {
    const chat = held.deref();
    if (!chat) chats.delete(held);
    return chat?.element.isConnected ? [chat] : [];
  });
}

function startChats() {
  const elements = /** @type {NodeListOf<PageElement>} */ (document.querySelectorAll(UNSTARTED));
  for (const element of elements) {
    const data = element.querySelector(':scope > script[type="application/json"]');
    if (!data?.textContent) continue;
    element.dataset.chatkit = "started";
    element.querySelector(UNAVAILABLE)?.remove();
    const chat = new PageChat(element, JSON.parse(data.textContent));
    chats.add(new WeakRef(chat));
    for (const configuration of configurations) chat.configure(configuration);
    chat.start();
  }
}

// A second copy of this module (another URL after a deployment, say) finds no array and leaves all to the first.
const queued = (window.chatkitConfigure ??= []);
if (Array.isArray(queued)) {
  window.chatkitConfigure = configure;
  configure.push(...queued);
  startChats();
  addEventListener("pageshow", ({ persisted }) => persisted && livingChats().forEach((chat) => chat.comeBack()));
  addEventListener("message", (message) => livingChats().forEach((chat) => chat.hear(message)));
  // Elements that htmx, Turbo and the like bring in later.
  new MutationObserver(startChats).observe(document, { childList: true, subtree: true });
}
