/** One view per type of item: this is where the next type goes. */
import { AssistantMessageView } from "./assistant-message.js";
import { GeneratedImageView } from "./images.js";
import { EmptyView, FallbackView, RecordView } from "./plain.js";
import { StructuredInputView } from "./structured-input.js";
import { UserMessageView } from "./user-message.js";
import { WidgetItemView } from "./widget.js";
import { TaskItemView, WorkflowView } from "./workflow.js";
/** @import {Host} from "../host.js" */
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
  workflow: WorkflowView,
  task: TaskItemView,
  widget: WidgetItemView,
  structured_input: StructuredInputView,
  generated_image: GeneratedImageView,
  client_tool_call: RecordView,
  hidden_context_item: RecordView,
  sdk_hidden_context: RecordView,
  end_of_turn: EmptyView,
};

/** @param {Host} host @param {AnyItem} item @returns {ItemView} the item's as long as its type stays */
export function createItemView(host, item) {
  const View = Object.hasOwn(ITEM_VIEWS, item.type) ? ITEM_VIEWS[item.type] : FallbackView;
  return new View(host);
}
