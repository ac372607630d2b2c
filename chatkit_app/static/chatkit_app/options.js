/** From the page's configuration to the client's options. */
import { clientLocale } from "./locale.js";

/**
 * @param {object} config the page's configuration
 * @param {object} live
 * @param {typeof fetch} live.fetch the `api.fetch` to use
 * @param {string|null} live.rememberedThread the thread to open when the page names none
 * @returns {object} a full set of ChatKit options, the caller's to change
 */
export function baseOptions(config, { fetch, rememberedThread }) {
  const options = structuredClone(config.options);
  options.api = { domainKey: config.domainKey, url: config.endpoint, ...options.api, fetch };
  const locale = options.locale ?? clientLocale(config.locale);
  if (locale) options.locale = locale;
  const thread = options.initialThread ?? rememberedThread;
  if (thread) options.initialThread = thread;
  return options;
}
