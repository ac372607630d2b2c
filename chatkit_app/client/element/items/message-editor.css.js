/** A message that is being edited. */
import { css } from "../css.js";

export const messageEditorStyles = css`
  .user:has(> .message-editor) > :is(.bubble, .turn-actions) {
    display: none;
  }
  .message-editor {
    inline-size: 100%;
    padding: 0.375em 0.75em 0.75em;
    border-radius: var(--round);
    background: var(--fill);
  }
  /* Three lines at least: an edit is seldom a word. */
  .message-editor .input {
    min-block-size: 6em;
    padding: 0.625em 0.375em;
  }
  .message-editor-row {
    display: flex;
    gap: 0.5em;
    justify-content: flex-end;
  }
  .message-editor:focus-within {
    box-shadow: 0 0 0 1px var(--line);
  }
`;
