/** Menus and popovers. */
import { css } from "../css.js";

export const menuStyles = css`
  .popover {
    position: fixed;
    inset: auto;
    z-index: 1;
    max-inline-size: min(22em, 100vw - 1em);
    max-block-size: min(24em, 100dvh - 1em);
    margin: 0;
    padding: 0.375em;
    overflow: auto;
    overscroll-behavior: contain;
    border: 1px solid var(--line);
    border-radius: calc(var(--round-small) + 0.25em);
    background: var(--surface);
    color: var(--text);
    box-shadow: var(--shadow);
    font: 400 var(--base-size) / 1.45 var(--font);
  }
  .menu {
    min-inline-size: 11em;
  }
  .menu-group {
    padding: 0.375em 0.625em 0.25em;
    color: var(--muted);
    font-size: 0.85em;
  }
  .menu-item {
    display: flex;
    gap: 0.625em;
    align-items: center;
    inline-size: 100%;
    min-block-size: 2.25em;
    padding: 0.375em 0.625em;
    border: 0;
    border-radius: var(--round-small);
    background: none;
    text-align: start;
    cursor: pointer;
  }
  .menu-item:is(:hover, :focus-visible, [aria-selected="true"]):not([aria-disabled="true"]) {
    background: var(--fill);
  }
  .menu-item:focus-visible {
    outline-offset: -2px;
  }
  .menu-item[aria-disabled="true"] {
    color: var(--muted);
    cursor: default;
  }
  .menu-item[data-danger] {
    color: var(--danger);
  }
  .menu-item .icon {
    color: var(--muted);
  }
  .menu-item[data-danger] .icon {
    color: inherit;
  }
  .menu-label {
    text-align: match-parent;
    text-align: -webkit-match-parent;
    flex: 1;
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .menu-description {
    display: block;
    color: var(--muted);
    font-size: 0.87em;
  }
  @media (forced-colors: active) {
    .menu-item:is(:hover, :focus-visible, [aria-selected="true"]) {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
    .menu-item[aria-disabled="true"] {
      color: GrayText;
    }
  }
`;
