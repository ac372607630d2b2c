/** The ChatKit protocol over HTTP: one POST per operation, answered with JSON or with a stream of events. */

/** An operation that the server refused or that did not reach it. */
export class TransportError extends Error {
  /**
   * @param {string} message what the server said, or ""
   * @param {number} status the HTTP status; 0 when there was no answer
   */
  constructor(message, status, options) {
    super(message, options);
    this.name = "TransportError";
    this.status = status;
  }
}

export class Transport {
  #url;
  #fetch;
  #frameId;

  /**
   * @param {{url: string, fetch?: typeof fetch}} api
   * @param {string} frameId tells this chat from others, so that the server knows a repeated request again
   */
  constructor({ url, fetch = window.fetch.bind(window) }, frameId) {
    this.#url = url;
    this.#fetch = fetch;
    this.#frameId = frameId;
  }

  /** @returns {Promise<object>} the JSON answer of an operation that does not stream */
  async request(type, params) {
    const response = await this.#post(type, params);
    if (!response.ok) throw await refusal(response);
    return response.json();
  }

  /** Yields the events of an operation that streams; ends when the stream does. */
  async *stream(type, params, signal) {
    const response = await this.#post(type, params, signal);
    const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream");
    if (!response.ok || !isStream) throw await refusal(response);
    try {
      yield* readEvents(response.body);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new TransportError("", 0, { cause: error });
    }
  }

  /** Yields the events of a run that has begun before, from its first; none when it is no longer known. */
  async *follow(url, signal) {
    const response = await this.#fetch(url, { signal });
    if (response.ok) yield* readEvents(response.body);
  }

  async #post(type, params, signal) {
    try {
      return await this.#fetch(this.#url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "chatkit-frame-instance-id": this.#frameId },
        body: JSON.stringify({ type, params }),
        signal,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new TransportError("", 0, { cause: error });
    }
  }
}

async function refusal(response) {
  let message = "";
  try {
    message = (await response.json()).message;
  } catch {
    // Something else than the endpoint has answered; its HTML is nothing to show.
  }
  return new TransportError(typeof message === "string" ? message : "", response.status);
}

/** The JSON of each event's `data` in a `text/event-stream`; comments and other fields are passed over. */
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
        else if (line === "" && data.length) {
          const text = data.join("\n");
          data = [];
          if (text.trim()) yield JSON.parse(text);
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
