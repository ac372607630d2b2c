/**
 * From the page's configuration to the client's options.
 *
 * @import {ChatKitOptions, CustomApiConfig, SupportedLocale} from "@openai/chatkit"
 * @import {PageConfig} from "./config.js"
 */
import { clientLocale } from "./locale.js";

/**
 * @param {PageConfig} config
 * @param {object} live
 * @param {typeof fetch} live.fetch the `api.fetch` to use
 * @param {string|null} live.rememberedThread the thread to open when the page names none
 * @returns {ChatKitOptions} a full set of ChatKit options, the caller's to change
 */
export function baseOptions(config, { fetch, rememberedThread }) {
  const options = structuredClone(config.options);
  const api = /** @type {Partial<CustomApiConfig>} */ (options.api);
  const locale = options.locale ?? clientLocale(config.locale);
  if (locale) options.locale = /** @type {SupportedLocale} */ (locale);
  const thread = options.initialThread ?? rememberedThread;
  if (thread) options.initialThread = thread;
  return { ...options, api: { domainKey: config.domainKey, url: config.endpoint, ...api, fetch } };
}
