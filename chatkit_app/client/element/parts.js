/**
 * The parts of the element that are loaded when they are first needed, and otherwise once there is nothing else to do.
 *
 * Whoever needs one has it from the chat (`Host.load`): a part never imports what loads it.
 */

/** Milliseconds before a part that could not be had is asked for once more. */
const RETRY_DELAY = 1000;

/** @template Module */
class Part {
  /** @type {Module|null} once it is there */
  module = null;
  #load;
  /** @type {Promise<Module>|null} */
  #loading = null;

  /** @param {() => Promise<Module>} load */
  constructor(load) {
    this.#load = load;
  }

  /**
   * @returns {Promise<Module>}
   * @throws {Error} when it cannot be had the second time either; whoever asks later has it tried again
   */
  load() {
    this.#loading ??= this.#loadTwice().catch((error) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async #loadTwice() {
    try {
      this.module = await this.#load();
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY));
      // Some browsers remember for good that an address has failed, so it is asked for by another one.
      const [url] = /https?:\S+\.js/.exec(String(error)) ?? [];
      this.module = await (url ? import(`${url}?again`) : this.#load());
    }
    return /** @type {Module} */ (this.module);
  }
}

export const PARTS = {
  attachments: new Part(() => import("./composer/attachments.js")),
  calendar: new Part(() => import("./widgets/calendar.js")),
  chart: new Part(() => import("./widgets/chart.js")),
  choices: new Part(() => import("./composer/choices.js")),
  code: new Part(() => import("./markdown/code.js")),
  completion: new Part(() => import("./composer/completion.js")),
  dictation: new Part(() => import("./composer/dictation.js")),
  fade: new Part(() => import("./markdown/fade.js")),
  handler: new Part(() => import("./views/handler.js")),
  headerActions: new Part(() => import("./views/header-actions.js")),
  history: new Part(() => import("./views/history.js")),
  icons: new Part(() => import("./icon-drawings.js")),
  images: new Part(() => import("./items/images.js")),
  markdown: new Part(() => import("./markdown/index.js")),
  math: new Part(() => import("./markdown/math.js")),
  messageEditor: new Part(() => import("./items/message-editor.js")),
  messageExtras: new Part(() => import("./items/message-extras.js")),
  notices: new Part(() => import("./views/notices.js")),
  sources: new Part(() => import("./items/sources.js")),
  strings: new Part(() => import("./strings.js")),
  structuredInput: new Part(() => import("./items/structured-input.js")),
  theme: new Part(() => import("./theme.js")),
  titleEditor: new Part(() => import("./ui/title-editor.js")),
  touch: new Part(() => import("./views/touch.js")),
  turnActions: new Part(() => import("./items/thread-actions.js")),
  widgets: new Part(() => import("./items/widget.js")),
  workflow: new Part(() => import("./items/workflow.js")),
};

let isPreloading = false;

/** Have all parts at hand, one after the other, while the page has nothing else to do: a tab may outlive its version. */
export async function loadAtLeisure() {
  const { saveData } = /** @type {{saveData?: boolean}} */ (Reflect.get(navigator, "connection") ?? {});
  if (isPreloading || saveData) return;
  isPreloading = true;
  for (const part of Object.values(PARTS)) {
    await leisure();
    await part.load().catch(() => {});
  }
}

/** @returns {Promise<unknown>} resolves when the page is idle */
function leisure() {
  // Safari has no such thing.
  if (!globalThis.requestIdleCallback) return new Promise((resolve) => setTimeout(resolve, 200));
  return new Promise((resolve) => requestIdleCallback(resolve));
}
