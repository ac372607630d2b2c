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

const THREAD = { id: "thr", version: 1 };
const message = (id, type = "user_message") => ({ id, type, content: [], created_at: "2030-01-01T00:00:00Z" });

/** A conversation of a thread whose reads are answered when the test says so; an answer to a message is there at once. */
async function slowConversation() {
  const reads = [];
  const conversation = new Conversation({
    canFollow: false,
    request: () => new Promise((resolve) => reads.push((data) => resolve({ ...THREAD, items: { data } }))),
    stream: async () => ({
      run: "r",
      events: (async function* () {
        yield { type: "thread.item.done", item: message("q2") };
        yield { type: "thread.item.done", item: message("a2", "assistant_message") };
      })(),
    }),
  });
  const opening = conversation.open("thr");
  reads.shift()([message("q1")]);
  await opening;
  const ids = () => conversation.items.map(({ id }) => id);
  return { conversation, reads, ids };
}

test("thread that was read before an answer began does not take it away once it is over", async () => {
  const { conversation, reads, ids } = await slowConversation();
  const refreshing = conversation.refresh();
  await conversation.send({ content: [] });
  assert.deepEqual(ids(), ["q1", "q2", "a2"]);
  reads.shift()([message("q1")]);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(ids(), ["q1", "q2", "a2"]);
  reads.shift()([message("q1"), message("q2"), message("a2", "assistant_message"), message("n")]);
  await refreshing;
  assert.deepEqual(ids(), ["q1", "q2", "a2", "n"]);
});

test("changes that were read before an answer began are read again once it is over", async () => {
  const { conversation, ids } = await slowConversation();
  const asked = [];
  const reads = [];
  const catchingUp = conversation.catchUp((thread, after) => {
    asked.push(after);
    return new Promise((resolve) => reads.push(resolve));
  });
  await conversation.send({ content: [] });
  reads.shift()({ version: 2, thread: { ...THREAD, title: "Old" }, removed: ["a2"] });
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(ids(), ["q1", "q2", "a2"]);
  reads.shift()({ version: 3, thread: { ...THREAD, title: "New" }, removed: [] });
  await catchingUp;
  assert.equal(conversation.thread.title, "New");
  assert.deepEqual(asked, [1, 1]);
});
