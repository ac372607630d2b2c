/** A title that is being edited. */
import { css } from "../css.js";

export const titleEditorStyles = css`
  .title-editor {
    position: relative;
  }
  .title-editor .text-field {
    inline-size: 100%;
  }
  .header .title-editor {
    flex: 1;
    min-inline-size: 0;
    max-inline-size: 30em;
    margin-inline: 0 auto;
  }
  .header .title-editor .text-field {
    font-weight: 600;
  }
  .title-problem:not(:empty) {
    padding: 0.25em 0.625em;
    border-radius: var(--round-small);
    background: var(--danger-fill);
    color: var(--danger);
    font-size: 0.87em;
    overflow-wrap: anywhere;
  }
  .header .title-problem {
    position: absolute;
    inset-block-start: calc(100% + 0.25em);
    z-index: 1;
  }
`;
