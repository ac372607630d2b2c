/** Thread items as values: which are shown, what an update makes of one, and what it says in plain text. */
import { asLabel, asList, asNumber, asObject, asText } from "./values.js";
import { changeComponent, grown } from "./widgets/nodes.js";
/** @import {ThreadItem} from "./protocol.js" */

/** Items as they come: like those of the protocol, but nothing of it is certain except the id and the type. */
/** @typedef {{id: string, type: string, [field: string]: any}} AnyItem */

const INVISIBLE = new Set(["client_tool_call", "end_of_turn", "hidden_context_item", "sdk_hidden_context"]);
/** The server sends none in a place further on than this. */
const MAX_PARTS = 10_000;

/**
 * @param {AnyItem} item
 * @returns {boolean} whether users see it
 */
export function isVisible(item) {
  return !INVISIBLE.has(item.type);
}

/**
 * @param {unknown} value what the server sent as an item
 * @returns {AnyItem|null} null when it is none
 */
export function asItem(value) {
  const item = asObject(value);
  if (typeof item.id !== "string" || typeof item.type !== "string") return null;
  const { said } = item;
  // Of a person's message the text is for clients that know of no person, with a signature and links.
  const own = typeof said === "string" ? { content: [{ type: "output_text", text: said, annotations: [] }] } : null;
  return /** @type {AnyItem} */ (own ? { ...item, ...own } : item);
}

/**
 * @param {unknown} values
 * @returns {AnyItem[]} the items among them, each id once
 */
export function asItems(values) {
  /** @type {Map<string, AnyItem>} */
  const items = new Map();
  for (const value of asList(values)) {
    const item = asItem(value);
    if (item) items.set(item.id, item);
  }
  return [...items.values()];
}

/**
 * The item after a `thread.item.updated`; a new object, so that a view can see that it changed.
 *
 * @param {AnyItem} item
 * @param {any} update
 * @returns {AnyItem}
 */
export function updateItem(item, update) {
  switch (update?.type) {
    case "assistant_message.content_part.added":
    case "assistant_message.content_part.done":
      return withPart(item, update.content_index, () => update.content);
    case "assistant_message.content_part.text_delta":
      return withPart(item, update.content_index, (part) => ({
        ...part,
        text: asText(part.text) + asText(update.delta),
      }));
    case "assistant_message.content_part.annotation_added":
      return withPart(item, update.content_index, (part) => ({
        ...part,
        annotations: put(part.annotations, update.annotation_index, update.annotation),
      }));
    case "widget.root.updated":
      return { ...item, widget: update.widget };
    case "widget.component.updated":
      return { ...item, widget: changeComponent(item.widget, update.component_id, () => update.component) };
    case "widget.streaming_text.value_delta":
      return { ...item, widget: changeComponent(item.widget, update.component_id, (text) => grown(text, update)) };
    case "workflow.task.added":
    case "workflow.task.updated": {
      const workflow = asObject(item.workflow);
      return { ...item, workflow: { ...workflow, tasks: put(workflow.tasks, update.task_index, update.task) } };
    }
    case "generated_image.updated":
      return { ...item, image: update.image, progress: update.progress };
    default:
      return item;
  }
}

/**
 * @param {AnyItem} item
 * @param {unknown} index
 * @param {(part: Record<string, any>) => unknown} change
 */
function withPart(item, index, change) {
  const content = Array.isArray(item.content) ? item.content : [];
  const part = asObject(content[asNumber(index)] ?? { type: "output_text", text: "", annotations: [] });
  return { ...item, content: put(content, index, change(part)) };
}

/**
 * @param {unknown} list
 * @param {unknown} index
 * @param {unknown} value
 * @returns {unknown[]} a list with that value in its place
 */
function put(list, index, value) {
  const copy = Array.isArray(list) ? [...list] : [];
  const place = asNumber(index);
  if (Number.isInteger(place) && place >= 0 && place < MAX_PARTS) copy[place] = value;
  return copy;
}

/**
 * @param {AnyItem} item
 * @returns {string} what it says, as plain text; "" when it says nothing
 */
export function itemText(item) {
  switch (item.type) {
    case "user_message":
    case "assistant_message":
      return asList(item.content)
        .map((part) => asText(part.text))
        .join("");
    case "widget":
      return asText(item.copy_text);
    case "task":
      return asLabel(asObject(item.task).title);
    case "workflow": {
      const { summary, tasks } = asObject(item.workflow);
      const titles = asList(tasks).map((task) => asLabel(task.title));
      return asLabel(asObject(summary).title) || (titles.findLast(Boolean) ?? "");
    }
    case "structured_input":
      return asList(item.inputs)
        .map((input) => asText(input.question))
        .join("\n");
    default:
      return "";
  }
}
