/** A month to choose a day from, beside a field that a date can be typed into. */
import { h, setAttribute, setText } from "../dom.js";
import { iconButton, nameButton } from "../ui/buttons.js";
import { keepPlaced } from "../ui/popover.js";
import { addStyles } from "../style-sheet.js";
import { calendarStyles } from "./calendar.css.js";
/** @import {Host} from "../host.js" */

addStyles({ calendar: calendarStyles });

const DAY = 86_400_000;
const DAYS_OF_WEEK = 7;
const WEEKS = 6;

/** Days are counted as UTC has them, which has no days of 23 hours. @param {string} iso */
const parse = (iso) => (iso ? new Date(`${iso}T00:00:00Z`) : null);
/** @param {Date} day */
const isoOf = (day) => day.toISOString().slice(0, 10);
/** @param {Date} day @param {number} days */
const plus = (day, days) => new Date(day.getTime() + days * DAY);

/** @param {Date} day @param {number} months @returns {Date} the same day of another month, or that month's last */
function plusMonths(day, months) {
  const first = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + months, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  return plus(first, Math.min(day.getUTCDate(), last) - 1);
}

function today() {
  const now = new Date();
  return new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()));
}

export class Calendar {
  #host;
  #field;
  #anchor;
  /** The day that has the focus, or would have. */
  #day;

  /**
   * @param {Host} host
   * @param {HTMLInputElement} field of the type "date"
   * @param {HTMLElement} anchor the button that opens it
   */
  constructor(host, field, anchor) {
    this.#host = host;
    this.#field = field;
    this.#anchor = anchor;
    this.#day = this.#within(parse(field.value) ?? today());
    this.month = h("span", { class: "month", "aria-live": "polite" });
    const before = iconButton("chevron-left", () => this.#turn(-1));
    const after = iconButton("chevron-right", () => this.#turn(1));
    nameButton(before, host.text("monthBefore"));
    nameButton(after, host.text("monthAfter"));
    this.body = h("tbody");
    this.grid = h("table", { role: "grid" }, h("thead", {}, this.#weekdays()), this.body);
    this.node = h(
      "div",
      { class: "popover calendar", popover: "auto", role: "dialog", "aria-label": field.ariaLabel, part: "calendar" },
      h("div", { class: "months" }, before, this.month, after),
      this.grid,
    );
    this.grid.addEventListener("keydown", (event) => this.#onKeyDown(event));
    this.node.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "closed") this.#end();
    });
  }

  open() {
    this.#draw();
    this.#anchor.after(this.node);
    this.node.showPopover();
    this.#anchor.ariaExpanded = "true";
    keepPlaced(this.node, () => (this.#field.parentElement ?? this.#field).getBoundingClientRect());
    this.#focus();
  }

  #end() {
    const root = /** @type {ShadowRoot} */ (this.node.getRootNode());
    const hadFocus = this.node.contains(root.activeElement) || !root.activeElement;
    this.node.remove();
    this.#anchor.ariaExpanded = "false";
    if (hadFocus) this.#anchor.focus({ preventScroll: true });
  }

  #weekdays() {
    const short = new Intl.DateTimeFormat(this.#host.language, { weekday: "short", timeZone: "UTC" });
    const long = new Intl.DateTimeFormat(this.#host.language, { weekday: "long", timeZone: "UTC" });
    const days = Array.from({ length: DAYS_OF_WEEK }, (_, index) => plus(this.#weekOf(this.#day), index));
    return h("tr", {}, ...days.map((day) => h("th", { scope: "col", abbr: long.format(day) }, short.format(day))));
  }

  /** @param {Date} day @returns {Date} the first day of its week, as the language has it */
  #weekOf(day) {
    /** @type {any} */
    const locale = new Intl.Locale(this.#host.language ?? "en");
    const first = (locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay ?? 1;
    return plus(day, -((day.getUTCDay() - first + DAYS_OF_WEEK) % DAYS_OF_WEEK));
  }

  #draw() {
    const { language } = this.#host;
    const title = new Intl.DateTimeFormat(language, { month: "long", year: "numeric", timeZone: "UTC" });
    const name = new Intl.DateTimeFormat(language, { dateStyle: "full", timeZone: "UTC" });
    const number = new Intl.DateTimeFormat(language, { day: "numeric", timeZone: "UTC" });
    setText(this.month, title.format(this.#day));
    const month = this.#day.getUTCMonth();
    const start = this.#weekOf(plus(this.#day, 1 - this.#day.getUTCDate()));
    const rows = Array.from({ length: WEEKS }, (_, week) => {
      const days = Array.from({ length: DAYS_OF_WEEK }, (_, index) => plus(start, week * DAYS_OF_WEEK + index));
      const cells = days.map((day) => {
        const iso = isoOf(day);
        const isOther = day.getUTCMonth() !== month;
        const button = h(
          "button",
          {
            type: "button",
            "data-day": iso,
            tabindex: iso === isoOf(this.#day) ? "0" : "-1",
            "aria-label": name.format(day),
          },
          number.format(day).replace(/\D*$/, ""),
        );
        button.disabled = this.#within(day) !== day;
        setAttribute(button, "aria-current", iso === isoOf(today()) ? "date" : null);
        button.onclick = () => this.#choose(iso);
        const state = { role: "gridcell", "aria-selected": String(iso === this.#field.value), "data-other": isOther };
        return h("td", state, button);
      });
      // The last week or two may be of the next month alone.
      return week > 3 && days[0].getUTCMonth() !== month ? null : h("tr", {}, ...cells);
    });
    this.body.replaceChildren(...rows.filter((row) => row !== null));
  }

  #focus() {
    const day = /** @type {HTMLElement|null} */ (this.body.querySelector('[tabindex="0"]'));
    day?.focus({ preventScroll: true });
  }

  /** @param {Date} day @returns {Date} the same if it may be chosen, else the nearest that may */
  #within(day) {
    const [min, max] = [parse(this.#field.min), parse(this.#field.max)];
    if (max && day > max) return max;
    return min && day < min ? min : day;
  }

  /** @param {Date} day */
  #go(day) {
    this.#day = this.#within(day);
    this.#draw();
  }

  /** @param {number} months */
  #turn(months) {
    this.#go(plusMonths(this.#day, months));
  }

  /** @param {string} iso */
  #choose(iso) {
    const isOther = this.#field.value !== iso;
    this.#field.value = iso;
    this.node.hidePopover();
    this.#anchor.focus({ preventScroll: true });
    if (isOther) this.#field.dispatchEvent(new Event("change"));
  }

  /** @param {KeyboardEvent} event */
  #onKeyDown(event) {
    const ahead = getComputedStyle(this.node).direction === "rtl" ? -1 : 1;
    const inWeek = Math.round((this.#day.getTime() - this.#weekOf(this.#day).getTime()) / DAY);
    /** @type {Record<string, () => Date>} */
    const moves = {
      ArrowLeft: () => plus(this.#day, -ahead),
      ArrowRight: () => plus(this.#day, ahead),
      ArrowUp: () => plus(this.#day, -DAYS_OF_WEEK),
      ArrowDown: () => plus(this.#day, DAYS_OF_WEEK),
      Home: () => plus(this.#day, -inWeek),
      End: () => plus(this.#day, DAYS_OF_WEEK - 1 - inWeek),
      PageUp: () => plusMonths(this.#day, event.shiftKey ? -12 : -1),
      PageDown: () => plusMonths(this.#day, event.shiftKey ? 12 : 1),
    };
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    this.#go(moves[event.key]());
    this.#focus();
  }
}
