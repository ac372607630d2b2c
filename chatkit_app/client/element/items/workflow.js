/** What the assistant has done on the way to its answer. */
import { h, setAttribute, setChildren, setText } from "../dom.js";
import { icon } from "../icons.js";
import { MarkdownText } from "../markdown-text.js";
import { asLabel, asList, asNumber, asObject, asText } from "../values.js";
import { RecordView } from "./record.js";
import { readSources, sourceList } from "./sources.js";
import { addStyles } from "../style-sheet.js";
import { workflowStyles } from "./workflow.css.js";
/** @import {Host, StringKey} from "../host.js" */

addStyles({ workflow: workflowStyles });

/** @type {Map<unknown, [StringKey, string]>} what stands for the title and the icon of tasks that bring neither */
const KINDS = new Map([
  ["web_search", ["taskSearch", "search"]],
  ["thought", ["taskThought", "dot"]],
  ["file", ["taskFiles", "document"]],
  ["image", ["taskImage", "square-image"]],
]);

/** @param {Host} host @param {unknown} value */
function taskTitle(host, value) {
  const { type, title, title_query } = asObject(value);
  const query = asLabel(title_query);
  const [key] = KINDS.get(type) ?? [];
  return asLabel(title) || (query ? host.text("taskQuery", { query }) : key ? host.text(key) : "");
}

/** @param {HTMLElement} place @param {string} name */
function setIcon(place, name) {
  if (place.dataset.icon !== name) place.replaceChildren(icon(name));
  place.dataset.icon = name;
}

/** A step, of whatever kind: its title, what it says, what it searched for, and what it found. */
class TaskView {
  #host;
  #content;
  /** @type {unknown[]} */
  #shown = [];
  #found = "";

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.#content = new MarkdownText(host);
    this.marker = h("span", { class: "task-marker" });
    this.title = h("span", { dir: "auto" });
    this.state = h("span", { class: "visually-hidden" });
    this.head = h("div", {}, this.title, this.state);
    this.found = h("div", {});
    const body = h("div", { class: "task-body" }, this.head, this.#content.node, this.found);
    this.node = h("li", { class: "task", part: "task" }, this.marker, body);
  }

  /** @param {unknown} value @param {boolean} isLive whether it may be going on */
  update(value, isLive) {
    if (this.#shown[0] === value && this.#shown[1] === isLive) return;
    this.#shown = [value, isLive];
    const host = this.#host;
    const task = asObject(value);
    const state = task.status_indicator;
    const isLoading = isLive && state === "loading";
    const text = asText(task.content);
    // A thought without a title is its text.
    setText(this.title, task.type === "thought" && text ? asLabel(task.title) : taskTitle(host, task));
    setText(this.state, isLoading ? host.text("loading") : state === "complete" ? host.text("done") : "");
    this.head.hidden = !this.title.textContent;
    const own = asText(task.icon) || (KINDS.get(task.type)?.[1] ?? "dot");
    setIcon(this.marker, isLoading ? "spinner" : state === "complete" ? "check" : own);
    this.#content.update(text, {});
    this.#content.node.hidden = !text;
    const queries = asList(task.queries).map(asLabel).filter(Boolean);
    const sources = readSources(asList(task.sources));
    this.found.hidden = !queries.length && !sources.length;
    // A link that is being pressed is left alone while the rest of the task goes on.
    const found = JSON.stringify([queries, sources]);
    if (found === this.#found) return;
    this.#found = found;
    const chips = queries.map((query) => h("li", { class: "query", dir: "auto" }, query));
    this.found.replaceChildren(h("ul", { class: "queries", role: "list" }, ...chips), sourceList(host, sources));
  }
}

/** A task that stands for itself. */
export class TaskItemView {
  #task;

  /** @param {Host} host */
  constructor(host) {
    this.#task = new TaskView(host);
    this.node = h("li", { class: "item", part: "item" }, h("ul", { role: "list" }, this.#task.node));
  }

  /** @param {Record<string, any>} item */
  update({ task }) {
    // Its indicator is one of workflows only.
    this.#task.update({ ...asObject(task), status_indicator: "none" }, false);
  }
}

/** A line that says in short what has been done, and opens. */
export class WorkflowView {
  #host;
  /** @type {TaskView[]} */
  #tasks = [];
  /** @type {boolean|null} what the reader has made of it, which counts more than what the server says */
  #isOpen = null;

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.icon = h("span", {});
    this.title = h("span", { dir: "auto" });
    this.list = h("ul", { role: "list" });
    const onclick = () => this.#show((this.#isOpen = this.list.hidden));
    const inside = [this.icon, this.title, icon("chevron-right")];
    this.toggle = h("button", { type: "button", class: "toggle", onclick }, ...inside);
    this.node = h("li", { class: "item", part: "item workflow" }, this.toggle, this.list);
  }

  /** @param {Record<string, any>} item @param {{isLive?: boolean}} [options] */
  update(item, { isLive = false } = {}) {
    const workflow = asObject(item.workflow);
    const tasks = asList(workflow.tasks);
    const isReasoning = workflow.type === "reasoning";
    const isRunning = isLive && !workflow.summary;
    setText(this.title, this.#titleOf(asObject(workflow.summary), tasks, isReasoning, isRunning));
    setAttribute(this.title, "class", isRunning && "shimmer");
    setIcon(this.icon, asText(asObject(workflow.summary).icon) || (isReasoning ? "lightbulb" : "sparkle"));
    this.#tasks.length = Math.min(this.#tasks.length, tasks.length);
    tasks.forEach((task, index) => (this.#tasks[index] ??= new TaskView(this.#host)).update(task, isRunning));
    setChildren(
      this.list,
      this.#tasks.map(({ node }) => node),
    );
    this.toggle.disabled = !tasks.length;
    this.#show(tasks.length > 0 && (this.#isOpen ?? workflow.expanded === true));
  }

  /**
   * @param {Record<string, any>} summary
   * @param {unknown[]} tasks
   * @param {boolean} isReasoning
   * @param {boolean} isRunning
   */
  #titleOf(summary, tasks, isReasoning, isRunning) {
    const host = this.#host;
    const title = asLabel(summary.title);
    if (title) return title;
    const seconds = asNumber(summary.duration, -1);
    const duration = seconds >= 0 && durationText(Math.round(seconds), host.language);
    if (duration) return host.text(isReasoning ? "thoughtFor" : "workedFor", { duration });
    const running = isRunning && tasks.findLast((task) => asObject(task).status_indicator === "loading");
    return (
      taskTitle(host, running || tasks.at(-1)) || host.text(isRunning ? (isReasoning ? "thinking" : "working") : "done")
    );
  }

  /** @param {boolean} isOpen */
  #show(isOpen) {
    this.list.hidden = !isOpen;
    setAttribute(this.toggle, "aria-expanded", String(isOpen));
  }
}

/** @param {number} seconds @param {string|undefined} language @returns {string} "12 seconds", "1 min 3 sec" */
function durationText(seconds, language) {
  const amounts = { hour: Math.floor(seconds / 3600), minute: Math.floor(seconds / 60) % 60, second: seconds % 60 };
  const used = Object.entries(amounts).filter(([unit, amount]) => amount || (unit === "second" && !seconds));
  const unitDisplay = used.length > 1 ? "short" : "long";
  return used
    .map(([unit, amount]) => new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay }).format(amount))
    .join(" ");
}

/** What the assistant has done, and what is kept of it for staff. */
export const ITEM_VIEWS = {
  workflow: WorkflowView,
  task: TaskItemView,
  client_tool_call: RecordView,
  hidden_context_item: RecordView,
  sdk_hidden_context: RecordView,
};
