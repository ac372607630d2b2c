/** A text with tags in it: where each tag stands, kept right while the text is edited. */
import { asLabel, asList, asObject, asText } from "../values.js";
/** @import {Entity, UserMessageContent} from "@openai/chatkit" */

/** @typedef {{entity: Entity, start: number, end: number}} Tag */
/** @typedef {{text: string, tags: Tag[]}} TaggedText */

/**
 * @param {unknown} value what the page calls an entity
 * @returns {Entity|null} null for one without an id
 */
export function asEntity(value) {
  const { id, title, icon, interactive, group, data } = asObject(value);
  const key = asText(id);
  return key
    ? {
        id: key,
        title: asLabel(title) || asLabel(id),
        icon: asText(icon) || undefined,
        interactive: interactive === true,
        group: asLabel(group) || undefined,
        data: asObject(data),
      }
    : null;
}

/** @param {Entity} entity */
export function tagText({ title }) {
  return title.startsWith("@") ? title : `@${title}`;
}

/**
 * Where the tags are after an edit. Those that the edit has cut into are tags no more.
 *
 * @param {Tag[]} tags
 * @param {string} before
 * @param {string} after
 * @param {number} caret where the edit ended; "aa" made of "a" has two explanations without it
 * @returns {Tag[]}
 */
export function shiftTags(tags, before, after, caret) {
  if (!tags.length) return tags;
  const shorter = Math.min(before.length, after.length);
  let tail = 0;
  while (tail < Math.min(shorter, after.length - caret) && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  let head = 0;
  while (head < shorter - tail && before[head] === after[head]) head += 1;
  const editEnd = before.length - tail;
  const shift = after.length - before.length;
  return tags.flatMap((tag) => {
    if (tag.end <= head) return [tag];
    return tag.start >= editEnd ? [{ ...tag, start: tag.start + shift, end: tag.end + shift }] : [];
  });
}

/**
 * @param {TaggedText} written
 * @returns {UserMessageContent[]} what is sent of it, without white space around it
 */
export function toContent({ text, tags }) {
  /** @type {UserMessageContent[]} */
  const content = [];
  const end = text.trimEnd().length;
  let from = text.length - text.trimStart().length;
  const addText = (/** @type {number} */ to) => {
    if (from < to) content.push({ type: "input_text", text: text.slice(from, to).toWellFormed() });
  };
  for (const { entity, ...tag } of tags) {
    addText(tag.start);
    const { id, title, data = {}, group, interactive = false } = entity;
    content.push({ type: "input_tag", id, text: title, data, group, interactive });
    from = tag.end;
  }
  addText(end);
  return content;
}

/**
 * @param {unknown} content
 * @returns {TaggedText}
 */
export function fromContent(content) {
  let text = "";
  /** @type {Tag[]} */
  const tags = [];
  for (const part of asList(content)) {
    const { type, text: written, ...rest } = asObject(part);
    const entity = type === "input_tag" ? asEntity({ ...rest, title: written }) : null;
    const start = text.length;
    // A field has line ends of one kind only.
    text += entity ? tagText(entity) : asText(written).replace(/\r\n?/g, "\n");
    if (entity) tags.push({ entity, start, end: text.length });
  }
  return { text, tags };
}
