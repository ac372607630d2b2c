/**
 * A stand-in for the official client: as much of its behaviour as our bootstrap depends on.
 *
 * It keeps what it was given in `options` and `calls`, sends with `options.api.fetch`, aborts the request's signal for
 * a Stop, to clean up after an answer that has ended or broken, and, after `beforeunload`, for a reload, and tells of its
 * thread in the client's events. A thread that it has loaded is the same to it for the next seconds: `fetchUpdates()` is
 * answered from its cache. It takes no option that its version does not know: at first it stays empty then, and later
 * it keeps those that it has.
 */
(() => {
  const SCRIPT = document.currentScript;
  /** Milliseconds for which a loaded thread is kept; the client's own are 5,000. */
  const CACHE_TIME = 1_500;

  const TYPOGRAPHY = { baseSize: {}, fontSources: {}, fontFamily: {}, fontFamilyMono: {} };
  const THEME = { colorScheme: {}, typography: TYPOGRAPHY, radius: {}, density: {}, color: {} };
  const API = { url: {}, domainKey: {}, fetch: {}, uploadStrategy: {} };
  /** The options that it knows; what has none beneath it is not looked into. */
  const KNOWN = {
    api: API,
    locale: {},
    theme: THEME,
    frameTitle: {},
    initialThread: {},
    header: { enabled: {}, title: {}, leftAction: { icon: {}, onClick: {} }, rightAction: { icon: {}, onClick: {} } },
    history: { enabled: {}, showDelete: {}, showRename: {}, search: {} },
    thread: { autoScroll: {} },
    startScreen: { enabled: {}, greeting: {}, prompts: {} },
    threadItemActions: { feedback: {}, retry: {}, share: {} },
    composer: { dictation: {}, placeholder: {}, attachments: {}, entityTags: {}, tools: {}, models: {} },
    disclaimer: {},
    entities: { onTagSearch: {}, onClick: {}, onRequestPreview: {}, showComposerMenu: {} },
    onClientTool: {},
    widgets: { onAction: {} },
    disableTelemetry: {},
  };
  /** Of these it only says that they are not right. */
  const UNIONS = ["api", "theme"];

  /** What it finds wrong, a complaint a line, or two with the place. */
  function complaints(options, known = KNOWN, path = []) {
    const keys = Object.keys(options).filter((key) => !(key in known));
    const found = keys.length ? [complaint(`Unrecognized key: ${keys.map((key) => `"${key}"`).join(", ")}`, path)] : [];
    for (const [key, value] of Object.entries(options)) {
      if (!known[key] || !Object.keys(known[key]).length || typeof value !== "object") continue;
      const inside = complaints(value, known[key], [...path, key]);
      if (inside.length) found.push(...(UNIONS.includes(key) ? [complaint("Invalid input", [key])] : inside));
    }
    return found;
  }

  function complaint(text, path) {
    return path.length ? `✖ ${text}\n  → at ${path.join(".")}` : `✖ ${text}`;
  }

  /** What it says of options that it does not take, as `caller`; null of others. */
  function refusal(caller, options) {
    const found = complaints(options);
    if (!options.api?.url || !options.api.domainKey) found.push(complaint("Invalid input", ["api"]));
    if (!found.length && options.composer?.attachments?.enabled && !options.api.uploadStrategy) {
      found.push("✖ When attachments are enabled, uploadStrategy must be provided in options.api.");
    }
    return found.length ? new Error(`${caller}:\n${found.join("\n")}`) : null;
  }

  class Stub extends HTMLElement {
    calls = [];
    options = null;
    text = "";
    controller = null;
    initialThread = undefined;
    thread = null;
    loads = new Map();
    /** What is shown of the thread, as it was last loaded. */
    shown = null;

    setOptions(options) {
      const isFirst = !this.calls.includes("setOptions");
      this.calls.push("setOptions");
      const error = refusal(isFirst ? "ChatKit.create()" : "chatKit.setOptions()", options);
      if (!isFirst) {
        if (error || !this.options) this.refuse(error ?? new Error("Command onSetOptions not supported"));
        else this.options = options;
        return;
      }
      if (error) {
        this.dispatchEvent(new CustomEvent("chatkit.ready"));
        setTimeout(() => this.dispatchEvent(new CustomEvent("chatkit.error", { detail: { error } })));
        return;
      }
      this.options = options;
      this.initialThread = options.initialThread ?? null;
      addEventListener("beforeunload", () => setTimeout(() => this.controller?.abort()));
      this.dispatchEvent(new CustomEvent("chatkit.ready"));
      if (this.initialThread) this.open(this.initialThread);
    }

    /** Its frame answers the element, and nobody is given the promise that the element has of that. */
    refuse(error) {
      const data = { __oaiChatKit: true, type: "response", error, nonce: crypto.randomUUID() };
      dispatchEvent(new MessageEvent("message", { data, origin: new URL(SCRIPT.src).origin }));
      Promise.reject(error);
    }

    async open(threadId) {
      try {
        await this.load(threadId);
        this.changeThread(threadId);
      } catch (error) {
        this.dispatchEvent(new CustomEvent("chatkit.error", { detail: { error } }));
      }
    }

    async load(threadId) {
      if (!this.loads.has(threadId)) {
        const load = this.get(threadId);
        this.loads.set(threadId, load);
        const forget = () => setTimeout(() => this.loads.delete(threadId), CACHE_TIME);
        load.then(forget, forget);
      }
      this.shown = await this.loads.get(threadId);
    }

    async get(threadId) {
      const response = await this.post("threads.get_by_id", { thread_id: threadId });
      const reply = await response.json();
      if (!response.ok) throw new Error(reply.message);
      return reply;
    }

    async setThreadId(threadId) {
      this.calls.push(`setThreadId ${threadId}`);
      this.changeThread(threadId);
    }

    async fetchUpdates() {
      this.calls.push("fetchUpdates");
      if (this.thread) await this.load(this.thread);
    }

    async send(text) {
      this.controller = new AbortController();
      const input = { content: [{ type: "input_text", text }], attachments: [], inference_options: {} };
      try {
        const response = await this.post("threads.create", { input }, this.controller.signal);
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          this.text += value;
          const created = value.match(/"thread.created", "thread": {"id": "(\w+)"/);
          if (created) this.changeThread(created[1]);
        }
      } catch (error) {
        this.calls.push(error.name);
      }
      // As the client clears up, whatever has become of the answer.
      this.controller.abort();
      this.dispatchEvent(new CustomEvent("chatkit.response.end"));
    }

    stop() {
      this.controller.abort();
    }

    post(type, params, signal) {
      return this.options.api.fetch(this.options.api.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "chatkit-frame-instance-id": "frame_1" },
        body: JSON.stringify({ type, params }),
        signal,
      });
    }

    changeThread(threadId) {
      this.thread = threadId;
      this.dispatchEvent(new CustomEvent("chatkit.thread.change", { detail: { threadId } }));
    }
  }

  customElements.define("openai-chatkit", Stub);
})();
