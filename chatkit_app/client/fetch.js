/**
 * The `api.fetch` of both clients.
 *
 * For requests to this site it adds the CSRF token and the page's language, it lets a new visitor's first requests
 * belong together, and it tells a Stop from a reload and from a client's clearing up. Uploads to other hosts go through
 * the same function and are left alone: the token must not reach them.
 *
 * @import {PageConfig} from "./config.js"
 */

/** How long after an abort the page has to be still there for it to have been a Stop. */
const STOP_GRACE = 300;
/** The same while a navigation may be under way: the next page can take its time to answer. */
const NAVIGATION_GRACE = 5_000;
/** How long after its beginning a navigation may be under way; it may also have been a download, or called off. */
const NAVIGATION_PATIENCE = 10_000;
/** How long a stopped request may take to tell which run it was. */
const RUN_PATIENCE = 30_000;

/** The name that the server knows it by, too. */
const SEED_COOKIE = "chatkit_first";
/** On a response to a request that is to be sent again. */
const AGAIN_HEADER = "X-ChatKit-Again";
const MAX_TIMES = 3;
/** What the bundled client names its requests by itself. */
const NAME_HEADER = "Idempotency-Key";
const MESSAGES = new Set(["threads.create", "threads.add_user_message"]);
/** How long the official client may take to send once more what was not answered. */
const REPEAT_PATIENCE = 60_000;
/** Seconds. */
const SEED_AGE = 600;

let navigationBegan = -Infinity;
addEventListener("beforeunload", () => (navigationBegan = performance.now()));

/**
 * @param {PageConfig} site
 * @param {object} [hooks]
 * @param {(run: string, thread: string|null|undefined) => void} [hooks.onRun] called with the id of each answer that
 *   begins and of its thread: null for a new one, undefined for an answer that is followed
 * @param {(thread: string) => void} [hooks.onLoad] called when a thread is being asked for
 * @param {(thread: string) => void} [hooks.onMissingThread] called when a thread that was asked for does not exist
 * @returns {typeof fetch}
 */
export function createFetch(site, { onRun = () => {}, onLoad = () => {}, onMissingThread = () => {} } = {}) {
  const endpoint = new URL(site.endpoint, document.baseURI).href;
  const beneath = endpoint.replace(/\/?$/, "/");
  const runs = new URL(site.runEventsUrl.split(site.runPlaceholder)[0], document.baseURI).href;

  /** @type {Map<unknown, {name: string, failed: number}>} messages that no answer came to, by their requests' text */
  const unanswered = new Map();

  /**
   * @param {unknown} body
   * @returns {string} the name of a request; of one that failed, the same one again, so that its message is stored once
   */
  const nameOf = (body) => {
    const { name, failed } = unanswered.get(body) ?? { name: "", failed: -Infinity };
    unanswered.delete(body);
    return performance.now() - failed < REPEAT_PATIENCE ? name : randomHex();
  };

  return async function chatkitFetch(input, init) {
    const url = new URL(input instanceof Request ? input.url : input, document.baseURI);
    if (url.origin !== location.origin) return fetch(input, init);
    let name = "";
    const make = () => {
      // What is sent once cannot be sent again.
      const made = new Request(input instanceof Request ? input.clone() : input, init);
      addSiteHeaders(made.headers, site);
      if (name) made.headers.set(NAME_HEADER, name);
      return made;
    };
    if (url.href !== endpoint && !url.href.startsWith(beneath)) return fetch(make());

    keepSeed();
    const { type, thread } = operation(init?.body);
    const isMessage = url.href === endpoint && MESSAGES.has(type ?? "");
    if (isMessage && !new Headers(init?.headers).has(NAME_HEADER)) name = nameOf(init?.body);
    const request = make();
    const loaded = type === "threads.get_by_id" ? thread : null;
    if (loaded) onLoad(loaded);
    const isRun = url.href === endpoint || url.href.startsWith(runs);
    const send = (/** @type {Request} */ each) => (isRun ? fetchRun(each) : fetch(each));
    const onFailure = () => name && unanswered.set(init?.body, { name, failed: performance.now() });
    let response = await send(request).catch((error) => {
      // What was stopped is not sent again: the same words after it are another message.
      if (!request.signal.aborted) onFailure();
      throw error;
    });
    for (let times = 0; times < MAX_TIMES && response.headers.has(AGAIN_HEADER); times += 1) {
      // A login came in between, in another tab perhaps: the browser has another session by now.
      response = await send(make());
    }
    if (!isRun) return response;

    const run = response.headers.get("X-ChatKit-Run");
    if (run) onRun(run, thread);
    else onFailure();
    if (response.status === 404 && loaded) onMissingThread(loaded);
    return response;
  };

  /**
   * Fetch with an abort that is looked at before it is passed on. The wire stays open until the response's headers have
   * said which run it is, since only its id can stop it.
   *
   * Only an abort in the middle of the answer can be a Stop: the official client also aborts to clean up, after the end
   * of the body or when its connection has broken. And a Stop gives no reason: who aborts for one of his own, a time
   * limit for instance or since nobody reads any more, wants the answer to go on.
   *
   * @param {Request} request
   * @returns {Promise<Response>}
   */
  async function fetchRun(request) {
    const wire = new AbortController();
    let answered = false;
    let isOver = false;
    const onOver = () => (isOver = true);
    const response = fetch(request, { signal: wire.signal }).then((answer) => {
      answered = true;
      return watchEnd(answer, onOver);
    });
    const run = response.then(
      ({ headers }) => headers.get("X-ChatKit-Run"),
      () => (onOver(), null),
    );
    const aborted = new Promise((_, reject) => {
      const onAbort = () => {
        const { reason } = request.signal;
        const isStop = !isOver && reason?.name === "AbortError";
        if (isStop) stopUnlessLeaving(run, wire);
        if (answered || !isStop) wire.abort(reason);
        reject(reason);
      };
      if (request.signal.aborted) onAbort();
      else request.signal.addEventListener("abort", onAbort, { once: true });
    });
    return Promise.race([response, aborted]);
  }

  /**
   * A reload and a navigation abort as well, but then the page is gone before the timer fires.
   *
   * @param {Promise<string | null>} run
   * @param {AbortController} wire
   */
  function stopUnlessLeaving(run, wire) {
    const mayBeLeaving = performance.now() - navigationBegan < NAVIGATION_PATIENCE;
    const decided = new AbortController();
    const timer = setTimeout(
      async () => {
        decided.abort();
        setTimeout(() => wire.abort(), RUN_PATIENCE);
        const id = await run;
        if (id) await stop(id);
        wire.abort();
      },
      mayBeLeaving ? NAVIGATION_GRACE : STOP_GRACE,
    );
    // A page in the back-forward cache would otherwise wake up to a due timer.
    addEventListener("pagehide", () => clearTimeout(timer), { signal: decided.signal });
  }

  /** @param {string} run */
  async function stop(run) {
    const headers = new Headers();
    addSiteHeaders(headers, site);
    const url = site.runStopUrl.replace(site.runPlaceholder, encodeURIComponent(run));
    try {
      await fetch(url, { method: "POST", headers, keepalive: true });
    } catch (error) {
      console.warn("The answer could not be stopped.", error);
    }
  }
}

/**
 * The same response, with word of when its body has ended or broken.
 *
 * @param {Response} response
 * @param {() => void} onOver
 * @returns {Response}
 */
function watchEnd(response, onOver) {
  // What holds no answer cannot be stopped either.
  if (!response.body || !response.headers.has("X-ChatKit-Run")) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        onOver();
        controller.close();
      } catch (error) {
        onOver();
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, response);
}

/**
 * Have a random seed in a cookie that all tabs share: the server makes the visitor's id of it while there is no session.
 * Requests that are sent at once (two uploads, two tabs) would otherwise be those of different visitors.
 *
 * The server deletes it whenever the session tells who this is. It is set again all the same: after a logout in another
 * tab, of which this page hears nothing, its next requests are those of a new visitor.
 */
function keepSeed() {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  // Written also when it is there, lest it expire between two requests that belong together.
  document.cookie = `${SEED_COOKIE}=${readCookie(SEED_COOKIE) || randomHex()}; Path=/; SameSite=Lax; Max-Age=${SEED_AGE}${secure}`;
}

/** @returns {string} 128 random bits */
function randomHex() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {Headers} headers
 * @param {PageConfig} site
 */
function addSiteHeaders(headers, { csrf, locale, hadLogin }) {
  headers.set(csrf.header, readCookie(csrf.cookie) ?? csrf.token);
  headers.set("X-ChatKit-Locale", locale);
  if (hadLogin) headers.set("X-ChatKit-Had-Login", "1");
}

/** @param {string | null} name */
function readCookie(name) {
  if (!name) return null;
  for (const pair of document.cookie.split("; ")) {
    if (pair.startsWith(`${name}=`)) return decodeURIComponent(pair.slice(name.length + 1));
  }
  return null;
}

/**
 * What a request asks for, and of which thread; null for none.
 *
 * @param {any} body
 * @returns {{type?: string, thread?: string|null}}
 */
function operation(body) {
  try {
    const { type, params } = JSON.parse(body);
    return { type, thread: params.thread_id ?? null };
  } catch {
    return {};
  }
}
