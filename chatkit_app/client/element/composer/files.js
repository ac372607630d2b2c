/** Files: whether one may be attached, and how it gets to the server. */
import { asLabel, asObject, asText } from "../values.js";
/** @import {ComposerOption, FileUploadStrategy} from "@openai/chatkit" */
/** @import {Chat} from "../chat.js" */
/** @import {StringKey} from "../host.js" */
/** @import {Attachment} from "../protocol.js" */

/** @typedef {NonNullable<ComposerOption["attachments"]>} AttachmentsOption */

const DEFAULT_MAX_SIZE = 100 * 1024 * 1024;
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

/**
 * @param {number} size in bytes
 * @param {string|undefined} language
 */
export function formatSize(size, language) {
  const step = size < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(size) / 10));
  // Short, a byte is "byte" for any number of them.
  const unitDisplay = step ? "short" : "long";
  const unit = { style: "unit", unit: UNITS[step], unitDisplay, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language, /** @type {Intl.NumberFormatOptions} */ (unit)).format(size / 1024 ** step);
}

/** @param {string} type @param {string} pattern "image/png", "image/*" or "*" */
function fits(type, pattern) {
  return pattern === type || (pattern.endsWith("*") && type.startsWith(pattern.slice(0, -1).replace("*/", "")));
}

/**
 * @param {File} file
 * @param {AttachmentsOption} [option]
 * @returns {string} its type; where the browser knows none, the one that its extension is accepted as
 */
export function typeOf(file, option) {
  const accepted = Object.entries(option?.accept ?? {}).find(([, extensions]) => hasExtension(file, extensions));
  return file.type || (accepted && !accepted[0].includes("*") ? accepted[0] : "application/octet-stream");
}

/** @param {File} file @param {string[]} extensions */
function hasExtension({ name }, extensions) {
  return [extensions ?? []].flat().some((extension) => name.toLowerCase().endsWith(extension.toLowerCase()));
}

/** @param {string} type @param {AttachmentsOption["maxSize"]} limits */
function maxSizeOf(type, limits = DEFAULT_MAX_SIZE) {
  if (typeof limits === "number") return limits;
  // The more a pattern says, the more it is meant.
  const patterns = Object.keys(limits).sort((one, other) => other.length - one.length);
  const pattern = patterns.find((name) => name && fits(type, name));
  return limits[pattern ?? ""] ?? DEFAULT_MAX_SIZE;
}

/**
 * @param {File} file
 * @param {AttachmentsOption} option
 * @returns {{key: StringKey, limit?: number}|null} what is wrong with it
 */
export function objectionTo(file, option) {
  const { accept } = option;
  const type = typeOf(file, option);
  const patterns = Object.entries(accept ?? { "*": [] });
  const isAccepted = patterns.some(([pattern, endings]) => fits(type, pattern) || hasExtension(file, endings));
  if (!isAccepted) return { key: "fileType" };
  if (!file.size) return { key: "fileEmpty" };
  const limit = maxSizeOf(type, option.maxSize);
  return file.size > limit ? { key: "fileTooLarge", limit } : null;
}

/** @param {AttachmentsOption} option */
export function acceptAttribute({ accept }) {
  return accept ? Object.entries(accept).flat(2).join(",") : null;
}

/**
 * @param {Chat} chat
 * @returns {FileUploadStrategy|undefined}
 */
export function strategyOf(chat) {
  return asObject(chat.options.api).uploadStrategy;
}

/**
 * @param {Chat} chat
 * @param {File} file
 * @param {AbortSignal} signal
 * @returns {Promise<Attachment>}
 */
export async function upload(chat, file, signal) {
  const strategy = strategyOf(chat);
  const mimeType = typeOf(file, chat.options.composer?.attachments);
  const name = asLabel(file.name) || "file";
  const form = new FormData();
  form.append("file", new File([file], name, { type: mimeType }));
  if (strategy?.type === "direct") {
    const response = await chat.transport.ask(strategy.uploadUrl, { method: "POST", body: form, signal });
    return asAttachment(await response.json(), name, mimeType);
  }
  const params = { name, size: file.size, mime_type: mimeType };
  const reply = asObject(await chat.transport.request("attachments.create", params));
  const { upload_descriptor: descriptor, ...attachment } = asAttachment(reply, name, mimeType);
  try {
    signal.throwIfAborted();
    const { url, method, headers } = asObject(descriptor);
    const target = new URL(asText(url), document.baseURI);
    if (!target.protocol.startsWith("http") || !/^(PUT|POST)$/.test(method)) throw new Error("No place to upload to.");
    const body = method === "PUT" ? file : form;
    await chat.transport.ask(target.href, { method, headers: asObject(headers), body, signal });
    return attachment;
  } catch (error) {
    remove(chat, attachment);
    throw error;
  }
}

/**
 * @param {unknown} value what the server made of a file
 * @param {string} name
 * @param {string} mimeType
 */
function asAttachment(value, name, mimeType) {
  const attachment = asObject(value);
  if (!asText(attachment.id)) throw new Error("The server's answer is no attachment.");
  const type = attachment.type === "image" ? "image" : "file";
  return /** @type {Attachment} */ ({ name, mime_type: mimeType, ...attachment, id: asText(attachment.id), type });
}

/**
 * Tell the server that a file is not wanted after all.
 *
 * @param {Chat} chat
 * @param {{id: string}} attachment
 */
export async function remove(chat, { id }) {
  try {
    await chat.transport.request("attachments.delete", { attachment_id: id });
  } catch (error) {
    chat.log("composer.attachment.delete.failed", { id, error: String(error) });
  }
}
