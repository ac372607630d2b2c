/** One view per type of item: this is where the next type goes. */
import { AssistantMessageView } from "./assistant-message.js";
import { LazyItemView } from "./lazy-item.js";
import { EmptyView, FallbackView } from "./plain.js";
import { UserMessageView } from "./user-message.js";
/** @import {Host, PartName} from "../host.js" */
/** @import {AnyItem} from "../items.js" */

/**
 * @typedef {object} ItemView
 * @property {HTMLElement} node an `<li>`
 * @property {(item: any, options?: {isLive?: boolean}) => void} update live is what belongs to an answer being written
 */

/** @type {Record<string, new (host: Host) => ItemView>} */
const ITEM_VIEWS = {
  user_message: UserMessageView,
  assistant_message: AssistantMessageView,
  end_of_turn: EmptyView,
};

/** Where the views of other types are, as its `ITEM_VIEWS`. @type {Record<string, PartName>} */
const ITEM_PARTS = {
  workflow: "workflow",
  task: "workflow",
  widget: "widgets",
  structured_input: "structuredInput",
  generated_image: "images",
  client_tool_call: "workflow",
  hidden_context_item: "workflow",
  sdk_hidden_context: "workflow",
};

/** @param {Host} host @param {AnyItem} item @returns {ItemView} the item's as long as its type stays */
export function createItemView(host, { type }) {
  if (Object.hasOwn(ITEM_VIEWS, type)) return new ITEM_VIEWS[type](host);
  return Object.hasOwn(ITEM_PARTS, type) ? new LazyItemView(host, ITEM_PARTS[type], type) : new FallbackView(host);
}
