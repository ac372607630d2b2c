/** Where a message is written. */
import { css } from "../css.js";

export const composerStyles = css`
  .composer {
    flex: none;
    padding-block: 0.25em max(calc(var(--space) * 0.875), env(safe-area-inset-bottom));
  }
  .box {
    --control: max(2.25em, 40px);
    --fill: var(--raised-fill);
    display: flex;
    flex-wrap: wrap;
    gap: 0.25em;
    align-items: flex-end;
    padding: 0.375em;
    box-shadow: var(--shadow);
    cursor: text;
  }
  /* What stands in its place, when nothing can be written, looks like it. */
  .box,
  .read-only {
    border: 1px solid var(--line);
    border-radius: calc(var(--round) + 0.25em);
    background: var(--raised);
  }
  .frame[data-radius="sharp"] :is(.box, .read-only) {
    border-radius: 0;
  }
  .frame[data-radius="soft"] :is(.box, .read-only) {
    border-radius: 0.75em;
  }
  .box:focus-within {
    border-color: color-mix(in srgb, var(--muted) 55%, var(--line));
  }
  .controls,
  .sending {
    display: flex;
    flex: none;
    gap: 0.25em;
    align-items: center;
    max-inline-size: 100%;
  }
  .controls {
    flex-wrap: wrap;
  }
  .choices,
  .tools {
    display: contents;
  }
  .sending {
    margin-inline-start: auto;
  }
  .box[data-dictating] :is(.choices, .model) {
    display: none;
  }
  .box .icon-button {
    inline-size: var(--control);
    block-size: var(--control);
    border-radius: var(--round);
  }
  .icon-button[aria-disabled="true"] {
    cursor: default;
  }
  .send {
    display: grid;
    flex: none;
    place-items: center;
    inline-size: var(--control);
    block-size: var(--control);
    padding: 0;
    border: 0;
    border-radius: var(--round);
    background: var(--accent);
    color: var(--on-accent);
  }
  .send[aria-disabled="true"],
  .box .icon-button[data-main][aria-disabled="true"] {
    background: var(--fill-strong);
    color: var(--muted);
    cursor: default;
  }
  .box .icon-button[data-main] {
    background: var(--accent);
    color: var(--on-accent);
  }
  .send[data-stops] .icon,
  .send:not([data-stops]) .stop-square {
    display: none;
  }
  .stop-square {
    inline-size: 0.75em;
    block-size: 0.75em;
    border-radius: 0.125em;
    background: currentcolor;
  }
  .reply,
  .files {
    flex: 1 0 100%;
    min-inline-size: 0;
  }
  .reply {
    display: flex;
    gap: 0.5em;
    align-items: center;
    max-inline-size: 100%;
    padding-inline-start: 0.75em;
    border-radius: var(--round-small);
    background: var(--fill);
    color: var(--muted);
    font-size: 0.9em;
  }
  .reply-text {
    display: -webkit-box;
    flex: 1;
    min-inline-size: 0;
    overflow: hidden;
    overflow-wrap: anywhere;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
  }
  .composer .icon[data-icon="spinner"] {
    animation: spin 1s linear infinite;
  }
  @keyframes spin {
    to {
      rotate: 1turn;
    }
  }
  .suggestions {
    min-inline-size: min(18em, 100vw - 1em);
  }
  .problem {
    padding: 0.25em 0.875em 0.5em;
    color: var(--danger);
    font-size: 0.9em;
    overflow-wrap: anywhere;
  }
  .read-only,
  .disclaimer {
    color: var(--muted);
    text-align: center;
  }
  .read-only {
    padding: 1em;
    overflow-wrap: anywhere;
  }
  .disclaimer {
    margin-block-start: 0.5em;
    font-size: 0.75em;
  }
  .disclaimer[data-contrast="high"] {
    color: var(--text);
  }
  .drop-zone {
    position: absolute;
    inset: 0.5em;
    z-index: 1;
    display: grid;
    gap: 0.5em;
    place-content: center;
    justify-items: center;
    border: 2px dashed var(--link);
    border-radius: var(--round-small);
    background: color-mix(in srgb, var(--surface) 92%, transparent);
    font-weight: 600;
  }
  .drop-zone > * {
    pointer-events: none;
  }
  @container (max-width: 26em) {
    .controls,
    .sending {
      gap: 0;
    }
  }
  @media (forced-colors: active) {
    .box,
    .send {
      border: 1px solid;
    }
    .send[aria-disabled="true"] {
      color: GrayText;
    }
  }
`;
