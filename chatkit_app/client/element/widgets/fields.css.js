/** What is pressed and filled in. */
import { css } from "../css.js";

export const fieldStyles = css`
  .w-button {
    display: inline-flex;
    gap: 0.4em;
    align-items: center;
    justify-content: center;
    padding-block: 0.1em;
    line-height: 1.3;
    overflow-wrap: anywhere;
  }
  .w-button,
  .w-control {
    min-block-size: var(--height);
  }
  .w-button:not(:disabled, [data-busy]):hover {
    box-shadow: inset 0 0 0 10em color-mix(in srgb, var(--tone) 8%, transparent);
  }
  .w-button:disabled {
    border-color: transparent !important;
    background: var(--fill) !important;
    color: color-mix(in srgb, var(--muted) 65%, var(--surface)) !important;
    cursor: default;
  }
  .w-button[data-uniform] {
    align-self: start;
    inline-size: var(--height);
    --ends: 0 !important;
  }
  .widget [data-block] {
    inline-size: 100%;
  }
  .w-button[data-busy] {
    position: relative;
    cursor: progress;
  }
  .w-button[data-busy] > * {
    visibility: hidden;
  }
  .w-button[data-busy]::after {
    position: absolute;
    inline-size: 1.1em;
    block-size: 1.1em;
    border: 2px solid;
    border-block-start-color: transparent;
    border-radius: 50%;
    animation: turn 0.8s linear infinite;
    content: "";
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  .w-control {
    inline-size: 100%;
    padding-block: calc((var(--height) - 1lh) / 2 - 1px);
    border: 1px solid var(--field-line);
    background: none;
    line-height: calc(5 * var(--step));
  }
  .w-choice > .w-control {
    font-weight: 500;
  }
  .w-control:is([data-variant="soft"], [data-variant="solid"]) {
    border-color: transparent;
    background: var(--fill-strong);
  }
  .w-control[data-variant="ghost"] {
    border-color: transparent;
  }
  .w-control:hover:not(:disabled) {
    border-color: var(--muted);
  }
  .w-control:user-invalid {
    border-color: var(--danger);
  }
  .w-control::placeholder,
  .w-control[data-empty] {
    color: var(--muted);
    opacity: 1;
  }
  .w-control:disabled {
    background: var(--fill);
    color: var(--text);
    opacity: 1;
  }
  /* A text where it is, with a line to write on. */
  .widget .w-editable {
    min-block-size: 0;
    padding: 0;
    border: 0 dashed var(--field-line);
    border-block-end-width: 1px;
    border-radius: 0;
  }
  textarea.w-control {
    display: block;
    resize: vertical;
  }
  @supports (field-sizing: content) {
    textarea.w-auto-resize {
      field-sizing: content;
      min-block-size: calc((var(--rows) - 1) * 1lh + var(--height));
      max-block-size: calc((var(--max-rows) - 1) * 1lh + var(--height));
      resize: none;
    }
  }
  .w-choice {
    display: inline-grid;
    align-items: center;
    max-inline-size: 100%;
  }
  .w-box > .w-choice {
    min-inline-size: 5.5em;
  }
  .w-choice > * {
    grid-area: 1 / 1;
  }
  .w-choice > :not(.w-control, .popover) {
    justify-self: end;
    margin-inline-end: 0.75em;
    color: var(--muted);
    font-size: 0.8em;
  }
  .w-choice > .icon {
    pointer-events: none;
  }
  .w-choice > .icon-button {
    inline-size: 2.25em;
    block-size: 2.25em;
    margin-inline-end: 0.375em;
  }
  .widget .w-choice > input {
    block-size: var(--height);
    padding-inline-end: 2.75em;
  }
  @media (pointer: fine) {
    .w-choice > input::-webkit-calendar-picker-indicator {
      display: none;
    }
  }
  @media (pointer: coarse) {
    .w-choice > [aria-haspopup] {
      display: none;
    }
    .w-choice > input {
      padding-inline-end: 0.75em !important;
    }
  }
  .w-choice > input ~ .icon-button:not([aria-haspopup]) {
    margin-inline-end: 2.625em;
  }
  .w-choice > select {
    appearance: none;
    padding-inline-end: 2.25em !important;
    text-overflow: ellipsis;
  }
  .w-choice > select ~ .icon-button {
    margin-inline-end: 2.125em;
  }
  .w-choice:has(> button:not([hidden])) > select {
    padding-inline-end: 4em !important;
  }
  .w-choice option {
    background: var(--surface);
    color: var(--text);
  }
  /* A list in the looks of the chat, with the keys and the roles of the browser's. A telephone has a better one. */
  @supports (appearance: base-select) {
    @media (pointer: fine) {
      .w-choice > select,
      .w-choice > select::picker(select) {
        appearance: base-select;
      }
      .w-choice > select::picker-icon {
        display: none;
      }
      .w-choice > select::picker(select) {
        margin-block: 0.375em;
        padding: 0.375em;
        border: 1px solid var(--line);
        border-radius: calc(var(--round-small) + 0.25em);
        background: var(--surface);
        color: var(--text);
        box-shadow: var(--shadow);
        max-block-size: 20em;
      }
      .w-choice option {
        gap: 0.625em;
        min-block-size: 2.25em;
        padding: 0.375em 0.625em;
        border-radius: var(--round-small);
        background: none;
      }
      .w-choice option:is(:hover, :focus-visible) {
        background: var(--fill);
        outline: none;
      }
      .w-choice option:disabled {
        color: var(--muted);
        opacity: 0.6;
      }
      .w-choice option::checkmark {
        order: 1;
        margin-inline-start: auto;
      }
    }
  }
  .w-check {
    display: inline-flex;
    gap: 0.5714em;
    align-items: start;
    font-size: calc(var(--base-size) * 0.875);
    line-height: calc(5 * var(--step));
    overflow-wrap: anywhere;
  }
  .w-check > input {
    flex: none;
    inline-size: calc(4.5 * var(--step));
    block-size: calc(4.5 * var(--step));
    margin: calc(var(--step) / 4) 0 0;
    accent-color: var(--accent);
  }
  .w-radios .w-check {
    gap: calc(1.5 * var(--step));
  }
  .w-check > [type="radio"] {
    inline-size: calc(4 * var(--step));
    block-size: calc(4 * var(--step));
    margin-block-start: calc(var(--step) / 2);
  }
  .w-radios {
    flex-wrap: wrap;
    gap: calc(2.5 * var(--step)) calc(5 * var(--step));
    margin: 0;
    padding: 0;
    border: 0;
  }
  @media (pointer: coarse) {
    /* Smaller ones make a telephone enlarge the page. */
    .w-control {
      font-size: max(16px, 1em) !important;
    }
  }
  @media (forced-colors: active) {
    .w-badge,
    .w-button {
      border-color: currentcolor;
    }
  }
`;
