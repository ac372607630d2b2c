import type { ChatKitOptions, Entity, Widgets } from "@openai/chatkit";
import type {
  ActionConfig,
  FeedbackKind,
  StructuredInputItem,
  StructuredInputSubmission,
  ThreadItem,
  WidgetItem,
} from "./protocol.js";
import type { PARTS } from "./parts.js";
import type { STRINGS } from "./strings.js";

export type StringKey = keyof typeof STRINGS;

export type PartName = keyof typeof PARTS;
export type PartModule<Name extends PartName> = NonNullable<(typeof PARTS)[Name]["module"]>;

/** What the views of items and widgets need of the chat around them, so that something else can be around them too. */
export interface Host {
  /** A text in the reader's language, with its `{name}`s replaced. */
  text(key: StringKey, values?: Record<string, string | number>): string;
  /** BCP 47, for `Intl`. */
  readonly language: string | undefined;
  /** Those in force. */
  readonly options: ChatKitOptions;
  /** Nothing may be sent: controls are disabled, and there are neither actions nor feedback. */
  readonly isReadOnly: boolean;
  /** The thread that is shown takes no more messages. */
  readonly isClosed: boolean;
  readonly isWithStaff: boolean;
  /** An answer is being written in the thread that is shown. */
  readonly isAnswering: boolean;
  /** Whether an image may be loaded unasked: one of this site, of the page itself, or of a domain the thread allows. */
  mayLoad(url: string): boolean;
  /** A part of the element, if it is there already. */
  part<Name extends PartName>(name: Name): PartModule<Name> | null;
  /** Have a part of the element. Rejects when it cannot be had. */
  load<Name extends PartName>(name: Name): Promise<PartModule<Name>>;
  /** Carry out a widget's action, by the page or by the server. Resolves when it is over, and never rejects. */
  act(action: ActionConfig, item: WidgetItem): Promise<void>;
  /** Somebody wants the assistant's questions in another place. */
  askAgain(): void;
  submitInputs(item: StructuredInputItem, input: StructuredInputSubmission): Promise<void>;
  /** Rejects when the server refuses. */
  feedback(items: ThreadItem[], kind: FeedbackKind): Promise<void>;
  /** Answer again what came after an item; the whole thread without one. */
  retry(after: ThreadItem | null): Promise<void>;
  /** Put a text into the composer, as what is replied to. */
  quote(text: string): void;
  clickEntity(entity: Entity): void;
  /** Null when the page has no preview of it, or fails to make one. */
  previewEntity(entity: Entity): Promise<Widgets.BasicRoot | null>;
  /** The click listener of links in content: a `chatkit-link:` becomes the event `chatkit.deeplink`. */
  followLink(event: MouseEvent): void;
  /** Tell screen readers, politely. */
  announce(text: string): void;
}
