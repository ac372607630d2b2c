/** Speaking instead of writing: recorded here, made into text by the server. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { asObject, asText } from "../values.js";
import { addStyles } from "../style-sheet.js";
import { dictationStyles } from "./dictation.css.js";
/** @import {Chat} from "../chat.js" */
/** @import {StringKey} from "../host.js" */
/** @import {Editor} from "./editor.js" */

addStyles({ dictation: dictationStyles });

const MAX_SECONDS = 300;
const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

/** @type {Record<string, {key: StringKey, name: string, note: StringKey|""}>} the button's name and icon; a note */
const STATES = {
  off: { key: "dictate", name: "microphone", note: "" },
  starting: { key: "dictate", name: "spinner", note: "dictationStarting" },
  recording: { key: "dictationFinish", name: "check", note: "" },
  transcribing: { key: "dictate", name: "spinner", note: "transcribing" },
};

export class Dictation {
  /** @type {"off"|"starting"|"recording"|"transcribing"} */
  #state = "off";
  /** @type {AbortController|null} of what is going on; aborted when it is called off */
  #controller = null;
  /** @type {MediaRecorder|null} */
  #recorder = null;

  /**
   * @param {Chat} chat
   * @param {{dictate: HTMLElement, editor: Editor, say: (text: string) => void, onChange: () => void}} composer
   */
  constructor(chat, { dictate, editor, say, onChange }) {
    this.chat = chat;
    this.button = dictate;
    this.editor = editor;
    this.say = say;
    this.onChange = onChange;
    this.level = h("span", { class: "level", "aria-hidden": "true" });
    this.time = h("span", { class: "time", role: "timer" });
    this.cancelButton = iconButton("close", () => this.cancel());
    this.node = h("div", { class: "dictation", hidden: true }, this.level, this.time, this.cancelButton);
  }

  get isActive() {
    return this.#state !== "off";
  }

  configure() {
    nameButton(this.cancelButton, this.chat.text("dictationCancel"));
    if (this.chat.frame.composer.extras.offersDictation) this.#enter(this.#state);
    else this.cancel();
  }

  async start() {
    if (this.isActive) return;
    const controller = new AbortController();
    this.#controller = controller;
    this.say("");
    this.#enter("starting");
    /** @type {MediaStream|undefined} */
    let stream;
    const stop = () => stream?.getTracks().forEach((track) => track.stop());
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      controller.signal.throwIfAborted();
      const sound = await this.#record(stream, controller.signal);
      stop();
      this.#enter("transcribing");
      const params = { audio_base64: await base64(sound), mime_type: sound.type };
      const text = asText(asObject(await this.chat.transport.request("input.transcribe", params)).text).trim();
      controller.signal.throwIfAborted();
      if (text) this.editor.insertWords(text);
      else this.say(this.chat.text("dictationEmpty"));
    } catch (error) {
      if (!controller.signal.aborted) {
        const { name } = /** @type {Error} */ (error);
        this.say(this.chat.text(name === "NotAllowedError" ? "dictationDenied" : "dictationFailed"));
        this.chat.log("composer.dictation.failed", { error: String(error) });
      }
    } finally {
      stop();
      if (this.#controller === controller) this.#enter("off");
    }
  }

  /** It has all been said. */
  finish() {
    if (this.#recorder?.state === "recording") this.#recorder.stop();
  }

  cancel() {
    if (!this.isActive) return;
    this.#controller?.abort();
    this.#enter("off");
    this.chat.frame.composer.focus();
  }

  /**
   * @param {MediaStream} stream
   * @param {AbortSignal} signal
   * @returns {Promise<Blob>} what was said until it was finished
   */
  async #record(stream, signal) {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(stream, { mimeType });
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Uint8Array(analyser.fftSize);
    const began = performance.now();
    const timer = setInterval(() => {
      const seconds = Math.floor((performance.now() - began) / 1000);
      setText(this.time, `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
      analyser.getByteTimeDomainData(samples);
      const loudness = Math.max(...samples.map((sample) => Math.abs(sample - 128))) / 128;
      this.level.style.setProperty("--level", String(Math.min(1, Math.sqrt(loudness))));
      if (!this.node.isConnected) this.cancel();
      else if (seconds >= MAX_SECONDS) this.finish();
    }, 100);
    try {
      return await new Promise((resolve, reject) => {
        /** @type {Blob[]} */
        const chunks = [];
        recorder.addEventListener("dataavailable", ({ data }) => chunks.push(data));
        recorder.addEventListener("stop", () => resolve(new Blob(chunks, { type: recorder.mimeType || mimeType })));
        recorder.addEventListener("error", () => reject(new Error("The recording broke off.")));
        signal.addEventListener("abort", () => reject(signal.reason));
        recorder.start();
        this.#recorder = recorder;
        this.#enter("recording");
      });
    } finally {
      clearInterval(timer);
      this.#recorder = null;
      context.close();
    }
  }

  /** @param {"off"|"starting"|"recording"|"transcribing"} state */
  #enter(state) {
    this.#state = state;
    const { key, name, note } = STATES[state];
    nameButton(this.button, this.chat.text(key));
    this.button.replaceChildren(icon(name));
    setAttribute(this.button, "aria-disabled", note && "true");
    setText(this.time, note && this.chat.text(note));
    setAttribute(this.node, "data-state", state);
    this.node.hidden = !this.isActive;
    this.onChange();
  }
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result).replace(/^.*?;base64,/, "")));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}
