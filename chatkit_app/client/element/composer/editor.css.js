/** The text that is being written. */
import { css } from "../css.js";

export const editorStyles = css`
  .editor {
    display: grid;
    flex: 1;
    min-inline-size: 0;
  }
  .box:is([data-choices], [data-dictating]) > :is(.editor, .controls) {
    flex: 1 0 100%;
  }
  .input {
    grid-area: 1 / 1;
    inline-size: 100%;
    min-block-size: var(--control);
    max-block-size: min(12em, 40dvh);
    padding: calc((var(--control) - 1.5em) / 2) 0.625em;
    overflow: hidden auto;
    border: 0;
    outline: none;
    background: none;
    resize: none;
    font: inherit;
    letter-spacing: normal;
    line-height: 1.5;
    scrollbar-width: thin;
    scrollbar-color: var(--line) transparent;
  }
  textarea.input {
    block-size: 100%;
    text-overflow: ellipsis;
    min-inline-size: 0;
  }
  .input::placeholder {
    overflow: hidden;
    color: var(--muted);
    opacity: 1;
    text-overflow: ellipsis;
    unicode-bidi: plaintext;
    white-space: nowrap;
  }
  .backdrop {
    forced-color-adjust: none;
    color: transparent;
    overflow-wrap: break-word;
    pointer-events: none;
    scrollbar-color: transparent transparent;
    text-align: start;
    unicode-bidi: plaintext;
    user-select: none;
    white-space: pre-wrap;
  }
  .backdrop > span {
    border-radius: 0.3em;
    background: var(--info-fill);
    box-shadow: 0 0 0 2px var(--info-fill);
    box-decoration-break: clone;
  }
  @media (pointer: coarse) {
    /* Safari zooms in to a field with a smaller font, and stays there. */
    .input {
      font-size: max(1em, 16px);
    }
  }
  @media (forced-colors: active) {
    .backdrop > span {
      outline: 1px solid CanvasText;
    }
  }
`;
