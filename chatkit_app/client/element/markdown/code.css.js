/** Blocks of code: their frame, their buttons and their colours. */
import { css } from "../css.js";

export const codeStyles = css`
  .code {
    position: relative;
    overflow: clip;
    border: 1px solid var(--line);
    border-radius: var(--round-small);
    background: color-mix(in srgb, var(--fill) 60%, var(--surface));
  }
  .code-header {
    display: flex;
    align-items: center;
    min-block-size: 2.75em;
    padding-inline: 1.0625em 0.25em;
    color: var(--muted);
    font-size: 0.85em;
  }
  .code-header:has(> .code-language:empty) {
    position: absolute;
    inset-block-start: 0;
    inset-inline-end: 0;
    z-index: 1;
    padding-inline-start: 0.25em;
    border-radius: var(--round-small);
    background: inherit;
  }
  .code-header:has(> .code-language:empty) + pre {
    padding-block-start: 0.6875em;
  }
  .code-language {
    flex: 1;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .code pre {
    padding: 0 0.9375em 0.875em;
    line-height: 1.55;
    scrollbar-width: thin;
    tab-size: 4;
  }
  .code pre code {
    display: block;
    inline-size: max-content;
    min-inline-size: 100%;
    font-size: 0.875em;
  }
  .code-marks:not(:empty) {
    padding: 0 0.875em 0.5em;
  }
  .code-header .icon-button {
    inline-size: 2.25em;
    block-size: 2.25em;
  }
  .code-header [aria-pressed="true"] {
    background: var(--fill-strong);
    color: var(--text);
  }
  .code pre[data-wrapped] {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .code pre[data-wrapped] code {
    inline-size: auto;
  }
  @media (forced-colors: none) {
    ::highlight(chatkit-comment) {
      color: var(--muted);
    }
    ::highlight(chatkit-keyword) {
      color: var(--discovery);
    }
    ::highlight(chatkit-string),
    ::highlight(chatkit-inserted) {
      color: var(--success);
    }
    ::highlight(chatkit-number) {
      color: var(--warning);
    }
    ::highlight(chatkit-title) {
      color: var(--info);
    }
    ::highlight(chatkit-type) {
      color: color-mix(in srgb, var(--info), var(--success));
    }
    ::highlight(chatkit-attribute) {
      color: color-mix(in srgb, var(--danger), var(--discovery));
    }
    ::highlight(chatkit-deleted) {
      color: var(--danger);
    }
  }
`;
