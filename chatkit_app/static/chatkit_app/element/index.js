/** Defines the bundled `<openai-chatkit>`, unless the official one is already there. */
import { ChatKitElement } from "./chatkit-element.js";

if (!customElements.get("openai-chatkit")) customElements.define("openai-chatkit", ChatKitElement);
