import assert from "node:assert/strict";
import test from "node:test";
import { Transport, TransportError, readEvents } from "../../../chatkit_app/client/element/transport.js";

async function all(events) {
  const found = [];
  for await (const event of events) found.push(event);
  return found;
}

/** A transport that is answered with this, and what it has asked for. */
function answered(body, init) {
  const asked = [];
  const fetch = async (url, { headers, body: sent }) => {
    asked.push([url, headers?.["chatkit-frame-instance-id"], sent && JSON.parse(sent)]);
    return new Response(body, init);
  };
  return { asked, transport: new Transport({ url: "/chatkit", fetch }, "frame_1", (run) => `/runs/${run}`) };
}

const STREAM = { headers: { "Content-Type": "text/event-stream", "X-ChatKit-Run": "run_1" } };

test("events that are split over chunks are put together", async () => {
  const frames = 'data: {"text": "é"}\r\n\r\n: ping\n\nevent: x\ndata: {"a":\ndata: 1}\n\ndata:\n\ndata: {"z": 1}\n\n';
  const body = new ReadableStream({
    start(controller) {
      for (const byte of new TextEncoder().encode(frames)) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  assert.deepEqual(await all(readEvents(body)), [{ text: "é" }, { a: 1 }, { z: 1 }]);
});

test("request posts the operation and returns its reply", async () => {
  const { asked, transport } = answered('{"data": []}');
  assert.deepEqual(await transport.request("threads.list", { limit: 2 }), { data: [] });
  assert.deepEqual(asked, [["/chatkit", "frame_1", { type: "threads.list", params: { limit: 2 } }]]);
});

test("request that is refused rejects with what the server said", async () => {
  const { transport } = answered('{"message": "Not yours."}', { status: 403 });
  await assert.rejects(transport.request("threads.list", {}), new TransportError("Not yours.", 403));
});

test("request that is answered with HTML rejects without words", async () => {
  const { transport } = answered("<h1>Bad gateway</h1>", { status: 502 });
  await assert.rejects(transport.request("threads.list", {}), new TransportError("", 502));
});

test("request that reaches nobody rejects without a status", async () => {
  const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  await assert.rejects(new Transport({ fetch }, "frame_1").request("threads.list", {}), { message: "", status: 0 });
});

test("stream has the run's id and its events", async () => {
  const { run, events } = await answered('data: {"a": 1}\n\n', STREAM).transport.stream("threads.create", {});
  assert.equal(run, "run_1");
  assert.deepEqual(await all(events), [{ a: 1 }]);
});

test("stream that is no stream is a refusal", async () => {
  await assert.rejects(answered("{}").transport.stream("threads.create", {}), new TransportError("", 200));
});

test("run that is not known any more has no events", async () => {
  const { asked, transport } = answered("{}", { status: 404 });
  assert.equal(await transport.follow("run_1"), null);
  assert.deepEqual(asked, [["/runs/run_1", undefined, undefined]]);
});

test("run whose server has a fault is to be asked for again", async () => {
  await assert.rejects(answered("", { status: 503 }).transport.follow("run_1"), new TransportError("", 503));
});
