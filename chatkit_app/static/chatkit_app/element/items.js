/** Thread items as values: what an update makes of one, and what it says in plain text. */

const INVISIBLE = new Set(["client_tool_call", "end_of_turn", "hidden_context_item", "sdk_hidden_context"]);

export function isVisible(item) {
  return !INVISIBLE.has(item.type);
}

/** The item after a `thread.item.updated`; a new object, so that a view can see that it changed. */
export function updateItem(item, update) {
  switch (update.type) {
    case "assistant_message.content_part.added":
    case "assistant_message.content_part.done":
      return withPart(item, update.content_index, () => update.content);
    case "assistant_message.content_part.text_delta":
      return withPart(item, update.content_index, (part) => ({ ...part, text: part.text + update.delta }));
    case "assistant_message.content_part.annotation_added":
      return withPart(item, update.content_index, (part) => {
        const annotations = [...(part.annotations ?? [])];
        annotations[update.annotation_index] = update.annotation;
        return { ...part, annotations };
      });
    case "widget.root.updated":
      return { ...item, widget: update.widget };
    case "workflow.task.added":
    case "workflow.task.updated": {
      const tasks = [...item.workflow.tasks];
      tasks[update.task_index] = update.task;
      return { ...item, workflow: { ...item.workflow, tasks } };
    }
    case "generated_image.updated":
      return { ...item, image: update.image };
    default:
      return item;
  }
}

function withPart(item, index, change) {
  const content = [...(item.content ?? [])];
  content[index] = change(content[index] ?? { type: "output_text", text: "", annotations: [] });
  return { ...item, content };
}

/** What an item says, as plain text; "" when it says nothing. */
export function itemText(item) {
  switch (item.type) {
    case "user_message":
    case "assistant_message":
      return (item.content ?? []).map((part) => part?.text ?? "").join("");
    case "widget":
      return item.copy_text ?? "";
    case "task":
      return item.task?.title ?? "";
    case "workflow":
      return item.workflow?.summary?.title ?? item.workflow?.tasks?.findLast((task) => task?.title)?.title ?? "";
    case "structured_input":
      return (item.inputs ?? []).map((input) => input.question).join("\n");
    default:
      return "";
  }
}
