/** The ChatKit protocol over HTTP: one POST per operation, answered with JSON or with a stream of events. */
/** @import {JSONParams, JSONReplies, StreamingParams, ThreadStreamEvent} from "./protocol.js" */

/** An operation that the server refused or that did not reach it. */
export class TransportError extends Error {
  /**
   * @param {string} message what the server said, or ""
   * @param {number} status the HTTP status; 0 when there was no answer
   * @param {ErrorOptions} [options]
   */
  constructor(message, status, options) {
    super(message, options);
    this.name = "TransportError";
    this.status = status;
  }
}

/**
 * @typedef {object} Stream
 * @property {string|null} run the id of the answer, with a server that can be asked for it again
 * @property {AsyncGenerator<ThreadStreamEvent>} events
 */

export class Transport {
  #url;
  #frameId;
  #runEvents;

  /**
   * @param {{url?: string, fetch?: typeof fetch}} api
   * @param {string} frameId tells this chat from others, so that the server knows a repeated request again
   * @param {((run: string) => string)|null} runEvents the URL of a run's events, where they can be had
   */
  constructor({ url = "", fetch = window.fetch.bind(window) }, frameId, runEvents = null) {
    this.#url = url;
    this.fetch = fetch;
    this.#frameId = frameId;
    this.#runEvents = runEvents;
  }

  get canFollow() {
    return this.#runEvents !== null;
  }

  /**
   * @template {keyof JSONParams} Operation
   * @param {Operation} type
   * @param {JSONParams[Operation]} params
   * @returns {Promise<JSONReplies[Operation]>} the answer of an operation that does not stream
   */
  async request(type, params) {
    const response = await this.#post(type, params);
    if (!response.ok) throw await refusal(response);
    try {
      return await response.json();
    } catch (error) {
      throw new TransportError("", response.status, { cause: error });
    }
  }

  /**
   * @template {keyof StreamingParams} Operation
   * @param {Operation} type
   * @param {StreamingParams[Operation]} params
   * @param {{signal?: AbortSignal, name?: string}} [options] the name is the same each time that this is sent, so that
   *   it is done once
   * @param {Record<string, string>} [metadata] of the request
   * @returns {Promise<Stream>} once the answer has begun
   */
  async stream(type, params, options, metadata) {
    const { signal } = options ?? {};
    const response = await this.#post(type, params, options, metadata);
    if (!response.ok || !isStream(response)) throw await refusal(response);
    return { run: response.headers.get("X-ChatKit-Run"), events: events(response, signal) };
  }

  /**
   * @param {string} run
   * @param {AbortSignal} signal
   * @returns {Promise<AsyncGenerator<ThreadStreamEvent>|null>} its events from the first; null when it is not known
   *   any more
   */
  async follow(run, signal) {
    if (!this.#runEvents) return null;
    const response = await this.#fetch(this.#runEvents(run), { signal });
    if (response.status >= 500) throw await refusal(response);
    return response.ok && isStream(response) ? events(response, signal) : null;
  }

  /**
   * @param {string} url
   * @param {RequestInit} [init]
   * @returns {Promise<Response>} what the app answers beside the protocol
   */
  async ask(url, init = {}) {
    const response = await this.#fetch(url, init);
    if (!response.ok) throw await refusal(response);
    return response;
  }

  /**
   * @param {string} type
   * @param {object} params
   * @param {{signal?: AbortSignal, name?: string}} [options]
   * @param {Record<string, string>} [metadata]
   */
  #post(type, params, { signal, name } = {}, metadata) {
    /** @type {Record<string, string>} */
    const headers = { "Content-Type": "application/json", "chatkit-frame-instance-id": this.#frameId };
    if (name) headers["Idempotency-Key"] = name;
    return this.#fetch(this.#url, {
      method: "POST",
      headers,
      body: JSON.stringify({ type, params, metadata }),
      signal,
    });
  }

  /**
   * @param {string} url
   * @param {RequestInit} init
   */
  async #fetch(url, init) {
    try {
      return await this.fetch(url, init);
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new TransportError("", 0, { cause: error });
    }
  }
}

/** @param {Response} response */
function isStream(response) {
  return response.headers.get("Content-Type")?.startsWith("text/event-stream") ?? false;
}

/** @param {Response} response */
async function refusal(response) {
  let message = "";
  try {
    message = (await response.json()).message;
  } catch {
    // Something else than the endpoint has answered; its HTML is nothing to show.
  }
  return new TransportError(typeof message === "string" ? message : "", response.status);
}

/**
 * @param {Response} response
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<ThreadStreamEvent>}
 */
async function* events({ body }, signal) {
  try {
    if (body) yield* readEvents(body);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new TransportError("", 0, { cause: error });
  }
}

/**
 * The JSON of each event's `data` in a `text/event-stream`; comments, other fields and what is no JSON are passed over.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<ThreadStreamEvent>}
 */
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  /** @type {string[]} */
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
        else if (line === "" && data.length) {
          const event = parse(data.join("\n"));
          data = [];
          if (event) yield event;
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
