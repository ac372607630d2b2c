/**
 * Brings every `{% chatkit %}` of the page to life: reads its JSON, loads the client and gives it its options.
 *
 * Page code adds options that are functions through `window.chatkitConfigure`, at any time:
 *
 *     (window.chatkitConfigure ??= []).push((options, element) => { options.onClientTool = … });
 */
import { Chat } from "./chat.js";

const UNSTARTED = 'openai-chatkit[data-chatkit=""]';

const chats = new Set();
const configurations = [];

/** Takes the place of the array, so that pushing works before and after this module has run. */
const configure = {
  push(...added) {
    configurations.push(...added);
    for (const chat of chats) {
      if (!chat.element.isConnected) chats.delete(chat);
      else for (const configuration of added) chat.configure(configuration);
    }
    return configurations.length;
  },
};

function startChats() {
  for (const element of document.querySelectorAll(UNSTARTED)) {
    const data = element.querySelector(':scope > script[type="application/json"]');
    if (!data) continue;
    element.dataset.chatkit = "started";
    const chat = new Chat(element, JSON.parse(data.textContent));
    chats.add(chat);
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
  // Elements that htmx, Turbo and the like bring in later.
  new MutationObserver(startChats).observe(document, { childList: true, subtree: true });
}
