/** The bundled element is an `OpenAIChatKit`, and may be more; the compiler is the test. */
import type { OpenAIChatKit } from "@openai/chatkit";
import type { ChatKitElement } from "../../chatkit_app/client/element/chatkit-element.js";

type Is<Whole, Part extends Whole> = Part;
export type Element = Is<OpenAIChatKit, ChatKitElement>;

// The line above lets a method ask for more than its callers give; this one does not.
type Method = Exclude<keyof OpenAIChatKit, keyof HTMLElement>;
type Given = { [name in Method]: Parameters<OpenAIChatKit[name]> };
type Asked = { [name in Method]: Parameters<ChatKitElement[name]> };
export type Calls = Is<Asked, Given>;
