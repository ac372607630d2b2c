import assert from "node:assert/strict";
import test, { mock } from "node:test";

/** As a browser's: it opens, hears and closes when the test says so. */
class FakeSocket {
  static OPEN = 1;
  static CONNECTING = 0;
  static all = [];
  readyState = 0;

  constructor(url) {
    this.url = url;
    FakeSocket.all.push(this);
  }

  hear(told) {
    this.readyState = 1;
    this.onopen();
    this.onmessage({ data: JSON.stringify(told) });
  }

  break(code = 1006) {
    this.readyState = 3;
    this.onclose({ code });
  }

  close() {}
}

globalThis.WebSocket = FakeSocket;
globalThis.document = {
  baseURI: "https://site.example/",
  hidden: false,
  addEventListener() {},
  removeEventListener() {},
};
globalThis.addEventListener = () => {};
globalThis.removeEventListener = () => {};
const { Line } = await import("../../chatkit_app/client/line.js");

function begin() {
  FakeSocket.all = [];
  const told = { missed: 0, opened: 0, back: 0, lost: 0 };
  const line = new Line("/ws/", {
    isGone: () => false,
    onOpen: (isBack) => {
      told.opened += 1;
      if (isBack) told.back += 1;
    },
    onLost: () => (told.lost += 1),
    onTold: () => {},
    onMissed: () => (told.missed += 1),
  });
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  line.begin();
  return told;
}

test.afterEach(() => mock.timers.reset());

test("site without sockets is asked every twenty seconds", () => {
  const told = begin();
  FakeSocket.all[0].break();
  mock.timers.tick(2_000);
  FakeSocket.all[1].break();
  for (let look = 1; look <= 3; look += 1) {
    mock.timers.tick(20_000);
    assert.equal(told.missed, look);
  }
  assert.equal(FakeSocket.all.length, 2);
});

test("socket that has worked is opened again within half a minute, however long it was away", () => {
  const told = begin();
  FakeSocket.all[0].hear({ type: "ping" });
  FakeSocket.all[0].break();
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    mock.timers.tick(30_000);
    assert.equal(FakeSocket.all.length, attempt + 1);
    FakeSocket.all.at(-1).break();
  }
  assert.equal(told.missed, 6);
});

test("site that has no sockets any more is asked again every twenty seconds", () => {
  begin();
  FakeSocket.all[0].hear({ type: "ping" });
  FakeSocket.all[0].break();
  mock.timers.tick(2_000);
  FakeSocket.all[1].break(4404);
  for (let look = 1; look <= 5; look += 1) mock.timers.tick(20_000);
  assert.equal(FakeSocket.all.length, 2);
});

test("socket that has gone is told of at once, and once", () => {
  const told = begin();
  FakeSocket.all[0].hear({ type: "ping" });
  assert.equal(told.lost, 0);
  FakeSocket.all[0].break();
  mock.timers.tick(500);
  assert.equal(told.lost, 1);
});

test("socket tells that it has come back, not that it has come", () => {
  const told = begin();
  FakeSocket.all[0].hear({ type: "ping" });
  assert.deepEqual([told.opened, told.back], [1, 0]);
  FakeSocket.all[0].break();
  mock.timers.tick(2_000);
  FakeSocket.all[1].hear({ type: "ping" });
  assert.deepEqual([told.opened, told.back], [2, 1]);
});
