import "../page.js";
import assert from "node:assert/strict";
import test from "node:test";
import { Conversation } from "../../../chatkit_app/client/element/conversation.js";
import { TransportError } from "../../../chatkit_app/client/element/transport.js";

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
/** A thread whose answer was cut off before it is opened here, and what is asked for then. */
function cutThread(changes = {}) {
  const items = [
    { id: "q", type: "user_message", content: [] },
    { id: "a", type: "assistant_message", content: [] },
  ];
  const thread = { id: "t", status: { type: "active" }, answer: "cut", items: { data: items }, ...changes };
  const asked = [];
  const conversation = new Conversation({
    request: async () => thread,
    stream: async (...request) => {
      asked.push(request.slice(0, 2));
      return { run: "r", events: [] };
    },
  });
  return { conversation, asked };
}

test("answer that was cut off before the thread was opened can be had again", async () => {
  const { conversation, asked } = cutThread();
  await conversation.open("t");
  assert.equal(conversation.failure.canRetry, true);
  await conversation.retry();
  assert.deepEqual(asked, [["threads.retry_after_item", { thread_id: "t", item_id: "q" }]]);
  assert.equal(conversation.failure, null);
});

test("answer that was cut off is nothing to the page's logs", async () => {
  const { conversation } = cutThread();
  let failures = 0;
  conversation.addEventListener("failure", () => (failures += 1));
  await conversation.open("t");
  assert.notEqual(conversation.failure, null);
  assert.equal(failures, 0);
});

test("answer that was cut off is told of no more once something has come behind it", async () => {
  const { conversation } = cutThread();
  await conversation.open("t");
  const reply = { id: "b", type: "assistant_message", content: [] };
  const thread = { id: "t", status: { type: "active" }, items: { data: [reply] } };
  await conversation.catchUp(async () => ({ version: 2, thread, removed: [] }));
  assert.equal(conversation.failure, null);
});

test("answer that was cut off stays so when only the title has changed", async () => {
  const { conversation } = cutThread();
  await conversation.open("t");
  const thread = { id: "t", title: "T", status: { type: "active" }, items: { data: [] } };
  await conversation.catchUp(async () => ({ version: 2, thread, removed: [] }));
  assert.notEqual(conversation.failure, null);
});

for (const changes of [{ status: { type: "locked" } }, { handler: { state: "staff" } }]) {
  test(`answer that was cut off is not to be had again: ${JSON.stringify(changes)}`, async () => {
    const { conversation } = cutThread(changes);
    await conversation.open("t");
    assert.equal(conversation.failure, null);
  });
}

test("answer that is lost is looked for at once when the server is there again", async () => {
  globalThis.navigator = { onLine: false };
  let follows = 0;
  const done = { type: "thread.item.done", item: message("a", "assistant_message") };
  const conversation = new Conversation({
    canFollow: true,
    stream: async () => ({
      run: "r",
      events: {
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new TransportError("", 0)) }),
      },
    }),
    follow: async () => {
      follows += 1;
      return (async function* () {
        yield done;
      })();
    },
  });
  const sending = conversation.send({ content: [] });
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(conversation.isReconnecting, true);
  assert.equal(follows, 0);
  conversation.tryNow();
  await sending;
  delete globalThis.navigator;
  assert.equal(follows, 1);
  assert.equal(conversation.failure, null);
});

test("message that could not be sent is sent when the server is there again", async () => {
  let isThere = false;
  const conversation = new Conversation({
    stream: async () => {
      if (!isThere) throw new TransportError("", 0);
      return { run: "r", events: [{ type: "thread.item.done", item: message("a", "assistant_message") }] };
    },
  });
  await conversation.send({ content: [] });
  assert.equal(conversation.failure.network, true);
  isThere = true;
  conversation.tryNow();
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(conversation.failure, null);
  assert.equal(conversation.items.at(-1).id, "a");
});

const BUSY = { type: "error", code: "custom", message: "An answer is still being written.", allow_retry: true };

/** A conversation that has refused what was asked of it, since another answer was being written. */
async function busyConversation(ask) {
  const names = [];
  const conversation = new Conversation({
    request: async () => ({ ...THREAD, items: { data: [message("q1")] } }),
    stream: async (operation, params, { name }) => {
      names.push(name);
      const item = message("a2", "assistant_message");
      return { run: "r", events: names.length === 1 ? [BUSY] : [{ type: "thread.item.done", item }] };
    },
  });
  await conversation.open("thr");
  await ask(conversation);
  assert.equal(conversation.failure.message, BUSY.message);
  return { conversation, names };
}

test("message that was put off is sent once the other answer has ended", async () => {
  const { conversation, names } = await busyConversation((to) => to.send({ content: [] }));
  const thread = { ...THREAD, items: { data: [message("a1", "assistant_message")] } };
  await conversation.catchUp(async () => ({ version: 2, thread, removed: [] }));
  assert.equal(conversation.failure, null);
  assert.equal(names.length, 2);
  assert.equal(names[0], names[1]);
  assert.equal(conversation.items.at(-1).id, "a2");
});

test("message that was put off is not sent as long as nothing has changed", async () => {
  const { conversation, names } = await busyConversation((to) => to.send({ content: [] }));
  await conversation.catchUp(async () => ({ version: 1, thread: THREAD, removed: [] }));
  assert.equal(conversation.failure.message, BUSY.message);
  assert.equal(names.length, 1);
});

for (const [condition, answer, failure] of [
  ["has no answer keeps its notice", [], BUSY.message],
  ["was answered has no notice any more", [message("a1", "assistant_message")], undefined],
]) {
  test(`message that was stored all the same and ${condition}`, async () => {
    const { conversation, names } = await busyConversation((to) => to.send({ content: [] }));
    const stored = message(conversation.items.at(-1).id);
    const thread = { ...THREAD, items: { data: [stored, ...answer] } };
    await conversation.catchUp(async () => ({ version: 2, thread, removed: [] }));
    assert.equal(conversation.failure?.message, failure);
    assert.equal(names.length, 1);
  });
}

test("action that was put off is not done by itself, and the refusal is told of no more", async () => {
  const { conversation, names } = await busyConversation((to) => to.customAction("w", { type: "buy" }));
  await conversation.catchUp(async () => ({ version: 2, thread: THREAD, removed: [] }));
  assert.equal(conversation.failure, null);
  assert.equal(names.length, 1);
});
