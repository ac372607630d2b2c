/** "@": the page's entities, one of which becomes a tag. */
import { asList } from "../values.js";
import { asEntity } from "./tags.js";
/** @import {Chat} from "../chat.js" */
/** @import {Source} from "./completion.js" */
/** @import {Editor} from "./editor.js" */

/** More than what is looked for at the end of a text, which may be long. */
const MAX_TOKEN = 80;

/**
 * @param {Chat} chat
 * @param {Editor} editor
 * @returns {Source}
 */
export function entitySource(chat, editor) {
  return {
    name: "entities",
    label: () => chat.text("mention"),
    find(before) {
      const [, query = null] = /(?:^|\s)@((?:\S[^@\n]{0,63})?)$/.exec(before.slice(-MAX_TOKEN)) ?? [];
      if (query === null || !chat.options.entities?.onTagSearch) return null;
      return { start: before.length - query.length - 1, query };
    },
    options: () => [],
    async search({ query }) {
      const found = asList(await chat.options.entities?.onTagSearch?.(query));
      return found.flatMap((value) => {
        const entity = asEntity(value);
        if (!entity) return [];
        const { title: label, icon, group } = entity;
        return [{ label, icon, group, onPick: ({ start, end }) => editor.insertTag(entity, start, end) }];
      });
    },
  };
}
