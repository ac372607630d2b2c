import assert from "node:assert/strict";
import test from "node:test";
import { asItem, asItems, isVisible, itemText, updateItem } from "../../../chatkit_app/client/element/items.js";

const MESSAGE = {
  id: "m",
  type: "assistant_message",
  content: [{ type: "output_text", text: "One", annotations: [] }],
};

test("item has an id and a type", () => {
  assert.deepEqual(asItem(MESSAGE), MESSAGE);
  for (const value of [null, "m", [], {}, { id: "m" }, { id: 7, type: "task" }]) assert.equal(asItem(value), null);
});

test("items are there once each, in their last form", () => {
  const late = { id: "a", type: "task", late: true };
  assert.deepEqual(asItems([{ id: "a", type: "task" }, null, { id: "b", type: "task" }, late]), [
    late,
    { id: "b", type: "task" },
  ]);
});

test("item for the model alone is not visible", () => {
  const types = ["user_message", "client_tool_call", "hidden_context_item", "sdk_hidden_context", "end_of_turn"];
  assert.deepEqual(
    types.map((type) => isVisible({ id: "a", type })),
    [true, false, false, false, false],
  );
});

test("delta of a text is put behind it, in a new object", () => {
  const update = { type: "assistant_message.content_part.text_delta", content_index: 0, delta: " two" };
  const updated = updateItem(MESSAGE, update);
  assert.equal(updated.content[0].text, "One two");
  assert.equal(MESSAGE.content[0].text, "One");
});

test("delta of a part that is not there begins one", () => {
  const update = { type: "assistant_message.content_part.text_delta", content_index: 1, delta: "Two" };
  assert.equal(itemText(updateItem(MESSAGE, update)), "OneTwo");
});

test("annotation is put in its place", () => {
  const update = {
    type: "assistant_message.content_part.annotation_added",
    content_index: 0,
    annotation_index: 0,
    annotation: { index: 3 },
  };
  assert.deepEqual(updateItem(MESSAGE, update).content[0].annotations, [{ index: 3 }]);
});

test("update for a place out of reach changes nothing", () => {
  for (const content_index of [-1, 1.5, 10_000, 1e9]) {
    const update = { type: "assistant_message.content_part.done", content_index, content: { text: "x" } };
    assert.deepEqual(updateItem(MESSAGE, update).content, MESSAGE.content);
  }
});

test("task of a workflow is put in its place", () => {
  const workflow = { id: "w", type: "workflow", workflow: { type: "custom", tasks: [{ title: "One" }] } };
  const update = { type: "workflow.task.updated", task_index: 0, task: { title: "Two" } };
  assert.deepEqual(updateItem(workflow, update).workflow, { type: "custom", tasks: [{ title: "Two" }] });
});

test("component of a widget is found by its id", () => {
  const item = {
    id: "w",
    type: "widget",
    widget: { type: "Card", children: [{ type: "Text", id: "t", value: "One" }, { type: "Divider" }] },
  };
  const grown = updateItem(item, {
    type: "widget.streaming_text.value_delta",
    component_id: "t",
    delta: " two",
    done: false,
  });
  assert.equal(grown.widget.children[0].value, "One two");
  const changed = updateItem(item, {
    type: "widget.component.updated",
    component_id: "t",
    component: { type: "Title", id: "t", value: "New" },
  });
  assert.deepEqual(changed.widget.children, [{ type: "Title", id: "t", value: "New" }, { type: "Divider" }]);
});

test("update of an unknown type leaves the item as it is", () => {
  assert.equal(updateItem(MESSAGE, { type: "unheard.of" }), MESSAGE);
  assert.equal(updateItem(MESSAGE, null), MESSAGE);
});

test("item says what can be read of it", () => {
  const said = (type, fields) => itemText({ id: "a", type, ...fields });
  assert.equal(said("user_message", { content: [{ text: "a" }, null, { text: "b" }] }), "ab");
  assert.equal(said("widget", { copy_text: "copied" }), "copied");
  assert.equal(said("task", { task: { title: "Task\n" } }), "Task");
  assert.equal(said("workflow", { workflow: { tasks: [{ title: "One" }, { title: "Two" }, {}] } }), "Two");
  assert.equal(said("workflow", { workflow: { summary: { title: "Done" }, tasks: [{ title: "One" }] } }), "Done");
  assert.equal(said("structured_input", { inputs: [{ question: "Who?" }, { question: "When?" }] }), "Who?\nWhen?");
  assert.equal(said("end_of_turn", {}), "");
});
