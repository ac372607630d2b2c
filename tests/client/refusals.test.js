import assert from "node:assert/strict";
import test from "node:test";
import { Refusals, isRefusal } from "../../chatkit_app/client/refusals.js";

const NEEDED = { url: "/chatkit", domainKey: "local-dev" };

/** What is given to the client after it has said this, and what is told to have been left out. */
function after(message, options) {
  const refusals = new Refusals();
  const named = refusals.add({ message: `ChatKit.create():\n${message}` }, options);
  return { named, given: refusals.withoutRefused(options) };
}

test("error that begins with the call is a refusal", () => {
  assert.equal(isRefusal(new Error('ChatKit.create():\n✖ Unrecognized key: "ghost"')), true);
  assert.equal(isRefusal(new Error("chatKit.setOptions():\n✖ Invalid input")), true);
  assert.equal(isRefusal(new Error("Command onSetOptions not supported")), false);
  assert.equal(isRefusal(null), false);
});

test("option that the client does not know is left out", () => {
  const { named, given } = after('✖ Unrecognized key: "commands"', { commands: {}, frameTitle: "Kept", api: NEEDED });
  assert.deepEqual(named, ["commands"]);
  assert.deepEqual(given, { frameTitle: "Kept", api: NEEDED });
});

test("keys within an option are left out alone", () => {
  const { named, given } = after('✖ Unrecognized key: "ghost", "spectre"\n  → at composer', {
    composer: { placeholder: "Write", ghost: 1, spectre: 2 },
  });
  assert.deepEqual(named, ["composer.ghost", "composer.spectre"]);
  assert.deepEqual(given, { composer: { placeholder: "Write" } });
});

test("option is left out whole when the client does not say what of it", () => {
  const options = { theme: { colorScheme: "dark", ghost: 1 }, frameTitle: "Kept" };
  assert.deepEqual(after("✖ Invalid input\n  → at theme", options).given, { frameTitle: "Kept" });
});

test("list is left out whole when something in it is refused", () => {
  const options = { composer: { placeholder: "Write", tools: [{ id: "a", icon: "ghost" }] } };
  const { named, given } = after("✖ Invalid input\n  → at composer.tools[0].icon", options);
  assert.deepEqual(named, ["composer.tools.0.icon"]);
  assert.deepEqual(given, { composer: { placeholder: "Write", tools: [{ id: "a" }] } });
});

test("what lacks something is left out", () => {
  const options = { startScreen: { prompts: [{ prompt: "x" }] }, frameTitle: "Kept" };
  const { named, given } = after("✖ Invalid input\n  → at startScreen.prompts[1]", options);
  assert.deepEqual(named, ["startScreen.prompts"]);
  assert.deepEqual(given, { startScreen: {}, frameTitle: "Kept" });
});

test("API that is refused is left what it needs", () => {
  const { named, given } = after("✖ Invalid input\n  → at api", { api: { ...NEEDED, ghost: 1 }, frameTitle: "Kept" });
  assert.deepEqual(named, ["api.ghost"]);
  assert.deepEqual(given, { api: NEEDED, frameTitle: "Kept" });
});

test("refusal that names no option names nothing to leave out", () => {
  const options = { composer: { attachments: { enabled: true } }, api: NEEDED };
  const message = "✖ When attachments are enabled, uploadStrategy must be provided in options.api.";
  assert.deepEqual(after(message, options), { named: [], given: options });
});

test("least that is left is what a chat needs", () => {
  const refusals = new Refusals();
  assert.equal(refusals.leaveLeast(), true);
  assert.equal(refusals.leaveLeast(), false);
  assert.deepEqual(
    refusals.withoutRefused({ composer: {}, locale: "en", initialThread: "thr_1", api: { ...NEEDED, ghost: 1 } }),
    { locale: "en", initialThread: "thr_1", api: NEEDED },
  );
});
