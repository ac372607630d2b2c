/** When conversations began, as their list tells it. */
import { asText } from "../values.js";
/** @import {Chat} from "../chat.js" */
/** @import {ThreadMetadata} from "../protocol.js" */

/**
 * @param {Chat} chat
 * @returns {(thread: ThreadMetadata) => string|null} the day or month it began; null when that is not known
 */
export function dayNames(chat) {
  const today = new Date();
  const month = { month: /** @type {const} */ ("long") };
  const ofThisYear = new Intl.DateTimeFormat(chat.language, month);
  const ofOthers = new Intl.DateTimeFormat(chat.language, { ...month, year: "numeric" });
  return ({ created_at }) => {
    const date = dateOf(created_at);
    if (!date) return null;
    if (date >= midnight(0)) return chat.text("today");
    if (date >= midnight(1)) return chat.text("yesterday");
    if (date >= midnight(7)) return chat.text("previousDays");
    return (date.getFullYear() === today.getFullYear() ? ofThisYear : ofOthers).format(date);
  };
}

/**
 * @param {Chat} chat
 * @param {ThreadMetadata} thread
 * @returns {string} the hour of today's and yesterday's, the day of others
 */
export function timeOf(chat, { created_at }) {
  const date = dateOf(created_at);
  if (!date) return "";
  /** @type {Intl.DateTimeFormatOptions} */
  const format = date >= midnight(1) ? { timeStyle: "short" } : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(chat.language, format).format(date);
}

/** @param {unknown} text */
function dateOf(text) {
  const date = new Date(asText(text));
  return Number.isNaN(date.getTime()) ? null : date;
}

/** @param {number} daysAgo */
function midnight(daysAgo) {
  const date = new Date();
  date.setHours(0, 0, 0, 0);
  date.setDate(date.getDate() - daysAgo);
  return date;
}
