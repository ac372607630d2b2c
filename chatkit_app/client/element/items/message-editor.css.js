/** A message that is being edited. */
import { css } from "../css.js";

export const messageEditorStyles = css`
  .user:has(> .message-editor) > :is(.bubble, .turn-actions) {
    display: none;
  }
  .message-editor {
    inline-size: min(100%, 34em);
    padding: 0.25em 0.5em 0.5em;
    border-radius: var(--round);
    background: var(--fill);
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
