import "../page.js";
import assert from "node:assert/strict";
import test from "node:test";
import { Conversation } from "../../../chatkit_app/client/element/conversation.js";

/** A conversation whose every answer has these events. */
function conversationOf(events) {
  return new Conversation({ stream: async () => ({ run: "r", events }) });
}

test("answer that is read again stays the one that is written", async () => {
  const question = { id: "q", type: "user_message", content: [] };
  const answer = { id: "a", type: "assistant_message", content: [] };
  const conversation = conversationOf(
    (async function* () {
      for (const item of [question, answer, question]) yield { type: "thread.item.done", item };
      await new Promise(() => {});
    })(),
  );
  conversation.send({ content: [] });
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(
    conversation.items.slice(conversation.answeredFrom).map(({ id }) => id),
    ["a"],
  );
});

test("client tool without a thread does not block the chat", async () => {
  const conversation = conversationOf(
    (async function* () {
      yield { type: "thread.item.done", item: { id: "c", type: "client_tool_call", name: "where" } };
    })(),
  );
  conversation.onClientTool = () => ({});
  await conversation.send({ content: [] });
  assert.equal(conversation.phase, "idle");
  assert.notEqual(conversation.failure, null);
});
