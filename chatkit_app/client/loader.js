/**
 * Gets `<openai-chatkit>` defined: by the official script, by the bundled element, or by whichever can be had.
 *
 * @import {PageConfig} from "./config.js"
 */

export const TAG = "openai-chatkit";

/** Without the bundled element to fall back on there is more time. */
const PATIENCE = 30;

/** @type {Map<string, Promise<unknown>>} */
const scripts = new Map();

/**
 * Resolves when the element is defined.
 *
 * @param {PageConfig} config
 * @throws {Error} when it cannot be
 */
export async function loadClient({ client, scriptUrl, scriptTimeout, elementUrl }) {
  if (customElements.get(TAG)) return;
  if (client === "bundled") {
    await import(elementUrl);
    return;
  }
  try {
    await loadScript(scriptUrl, client === "auto" ? scriptTimeout : PATIENCE);
  } catch (error) {
    if (client !== "auto") throw error;
    console.info("The bundled element takes the official one's place.", error);
    await import(elementUrl);
  }
}

/**
 * @param {string} url
 * @param {number} patience in seconds
 */
function loadScript(url, patience) {
  if (!scripts.has(url)) scripts.set(url, insertScript(url, patience));
  return scripts.get(url);
}

/**
 * @param {string} url
 * @param {number} patience in seconds
 */
function insertScript(url, patience) {
  /** @type {HTMLScriptElement | null} */
  const bootstrap = document.querySelector("script[data-chatkit-bootstrap]");
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.async = true;
    script.nonce = bootstrap?.nonce ?? "";
    // For developers, with the way out.
    /** @param {string} problem */
    const fail = (problem) =>
      reject(new Error(`The script ${url} ${problem}. CHATKIT["CLIENT"] = "bundled" or "auto" does without it.`));
    script.onerror = () => fail("could not be loaded");
    setTimeout(() => fail(`did not define <${TAG}> in time`), patience * 1000);
    customElements.whenDefined(TAG).then(resolve);
    document.head.append(script);
  });
}
