/** Images, as they are and enlarged. */
import { css } from "../css.js";

export const imageStyles = css`
  .enlarge {
    display: block;
    overflow: hidden;
    border-radius: var(--round-small);
    background: var(--fill);
    cursor: zoom-in;
  }
  .enlarge img {
    display: block;
    max-inline-size: 100%;
    max-block-size: 28em;
    animation: appear 0.3s;
  }
  @keyframes appear {
    from {
      opacity: 0;
    }
  }
  .lightbox {
    max-inline-size: none;
    max-block-size: none;
    padding: 0;
    border: 0;
    background: none;
    cursor: zoom-out;
  }
  .lightbox::backdrop {
    background: rgb(0 0 0 / 85%);
  }
  .lightbox img {
    display: block;
    max-inline-size: calc(100vw - 2em);
    max-block-size: calc(100dvh - 2em);
  }
  .lightbox .icon-button {
    position: fixed;
    inset-block-start: 0.75em;
    inset-inline-end: 0.75em;
    background: #333;
    color: #fff;
  }
  .generated {
    position: relative;
    inline-size: fit-content;
    max-inline-size: min(24em, 100%);
    overflow: hidden;
    border-radius: var(--round-small);
  }
  .image-placeholder {
    display: grid;
    gap: 0.5em;
    place-content: center;
    place-items: center;
    inline-size: 24em;
    max-inline-size: 100%;
    aspect-ratio: 4 / 3;
    background: var(--fill);
    color: var(--muted);
  }
  .image-progress {
    position: absolute;
    inset: auto 0 0;
    block-size: 0.25em;
    background: linear-gradient(var(--accent) 0 0) no-repeat 0 0 / calc(var(--progress) * 100%) 100% var(--fill-strong);
  }
  /* A rough picture has fewer pixels than the last one: nothing moves when that comes. */
  .generated:has(> .image-progress:not([hidden])) img {
    inline-size: 24em;
  }
  .download {
    inline-size: fit-content;
    margin-block-start: 0.5em;
    color: var(--muted);
    text-decoration: none;
  }
  .download:hover {
    text-decoration: underline;
  }
`;
