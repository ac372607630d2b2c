/**
 * A stand-in for the official client: as much of its behaviour as our bootstrap depends on.
 *
 * It keeps what it was given in `options` and `calls`, sends with `options.api.fetch`, aborts the request's signal for
 * a Stop and, after `beforeunload`, for a reload, and tells of its thread in the client's events.
 */
(() => {
  class Stub extends HTMLElement {
    calls = [];
    options = null;
    text = "";
    controller = null;
    initialThread = undefined;

    setOptions(options) {
      const isFirst = !this.options;
      this.options = options;
      this.calls.push("setOptions");
      if (!isFirst) return;
      this.initialThread = options.initialThread ?? null;
      addEventListener("beforeunload", () => setTimeout(() => this.controller?.abort()));
      this.dispatchEvent(new CustomEvent("chatkit.ready"));
      if (this.initialThread) this.load(this.initialThread);
    }

    async load(threadId) {
      const response = await this.post("threads.get_by_id", { thread_id: threadId });
      if (response.ok) this.changeThread(threadId);
      else this.dispatchEvent(new CustomEvent("chatkit.error", { detail: { error: new Error() } }));
    }

    async setThreadId(threadId) {
      this.calls.push(`setThreadId ${threadId}`);
      this.changeThread(threadId);
    }

    async fetchUpdates() {
      this.calls.push("fetchUpdates");
    }

    async send(text) {
      this.controller = new AbortController();
      const input = { content: [{ type: "input_text", text }], attachments: [], inference_options: {} };
      try {
        const response = await this.post("threads.create", { input });
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
      this.dispatchEvent(new CustomEvent("chatkit.response.end"));
    }

    stop() {
      this.controller.abort();
    }

    post(type, params) {
      return this.options.api.fetch(this.options.api.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "chatkit-frame-instance-id": "frame_1" },
        body: JSON.stringify({ type, params }),
        signal: this.controller?.signal,
      });
    }

    changeThread(threadId) {
      this.dispatchEvent(new CustomEvent("chatkit.thread.change", { detail: { threadId } }));
    }
  }

  customElements.define("openai-chatkit", Stub);
})();
