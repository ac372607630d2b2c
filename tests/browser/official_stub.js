/**
 * A stand-in for the official client: as much of its behaviour as our bootstrap depends on.
 *
 * It keeps what it was given in `options` and `calls`, sends with `options.api.fetch`, aborts the request's signal for
 * a Stop, to clean up after an answer that has ended or broken, and, after `beforeunload`, for a reload, and tells of its
 * thread in the client's events. A thread that it has loaded is the same to it for the next seconds: `fetchUpdates()` is
 * answered from its cache.
 */
(() => {
  /** Milliseconds for which a loaded thread is kept; the client's own are 5,000. */
  const CACHE_TIME = 1_500;

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
      const isFirst = !this.options;
      this.options = options;
      this.calls.push("setOptions");
      if (!isFirst) return;
      this.initialThread = options.initialThread ?? null;
      addEventListener("beforeunload", () => setTimeout(() => this.controller?.abort()));
      this.dispatchEvent(new CustomEvent("chatkit.ready"));
      if (this.initialThread) this.open(this.initialThread);
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
