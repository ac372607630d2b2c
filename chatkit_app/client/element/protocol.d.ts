/**
 * What goes over the wire, as `chatkit.types`, `chatkit.widgets` and `chatkit.actions` of the Python SDK write it.
 *
 * The server leaves out what is None. These types say what a well-behaved server sends; `values.js` is for the others.
 */
import type {
  Attachment as ClientAttachment,
  ChatKitIcon,
  ToolChoice,
  UserMessageContent,
  Widgets,
} from "@openai/chatkit";

export type { ToolChoice, UserMessageContent };

export type IconName = ChatKitIcon | "dot" | `vendor:${string}`;

// Threads

export interface Page<T> {
  data: T[];
  has_more: boolean;
  after?: string;
}

export type ThreadStatus = { type: "active" } | { type: "locked" | "closed"; reason?: string };

export interface ThreadMetadata {
  id: string;
  title?: string;
  created_at: string;
  status: ThreadStatus;
  allowed_image_domains?: string[];
  /** Who answers, unless it is the assistant; written by this app's server alone. */
  handler?: { state: "waiting" | "staff"; since?: string; name?: string };
  metadata?: Record<string, unknown>;
}

export interface Thread extends ThreadMetadata {
  items: Page<ThreadItem>;
}

// Items

interface ItemBase {
  id: string;
  thread_id: string;
  created_at: string;
  /** What the reader thought of it; written by this app's server alone. */
  feedback?: FeedbackKind;
}

export interface InferenceOptions {
  tool_choice?: ToolChoice;
  model?: string;
}

export interface UserMessageItem extends ItemBase {
  type: "user_message";
  content: UserMessageContent[];
  attachments: Attachment[];
  quoted_text?: string;
  inference_options: InferenceOptions;
  /** How many earlier versions of it there are, and of its answer; written by this app's server alone. */
  earlier?: { message?: number; answer?: number };
}

export interface AssistantMessageItem extends ItemBase {
  type: "assistant_message";
  content: AssistantMessageContent[];
}

export interface AssistantMessageContent {
  type: "output_text";
  text: string;
  annotations: Annotation[];
}

export interface ClientToolCallItem extends ItemBase {
  type: "client_tool_call";
  status: "pending" | "completed";
  call_id: string;
  name: string;
  arguments: Record<string, unknown>;
  output?: unknown;
}

export interface WidgetItem extends ItemBase {
  type: "widget";
  widget: WidgetRoot;
  copy_text?: string;
}

export interface GeneratedImage {
  id: string;
  url: string;
}

export interface GeneratedImageItem extends ItemBase {
  type: "generated_image";
  image?: GeneratedImage;
}

export interface StructuredInputItem extends ItemBase {
  type: "structured_input";
  status: "pending" | "answered" | "skipped";
  inputs: StructuredInput[];
}

export interface TaskItem extends ItemBase {
  type: "task";
  task: Task;
}

export interface WorkflowItem extends ItemBase {
  type: "workflow";
  workflow: Workflow;
}

export interface EndOfTurnItem extends ItemBase {
  type: "end_of_turn";
}

export interface HiddenContextItem extends ItemBase {
  type: "hidden_context_item" | "sdk_hidden_context";
  content?: unknown;
}

export type ThreadItem =
  | UserMessageItem
  | AssistantMessageItem
  | ClientToolCallItem
  | WidgetItem
  | GeneratedImageItem
  | StructuredInputItem
  | TaskItem
  | WorkflowItem
  | EndOfTurnItem
  | HiddenContextItem;

/** The item of a type: `ItemOf<"widget">`. */
export type ItemOf<T extends ThreadItem["type"]> = Extract<ThreadItem, { type: T }>;

export type FeedbackKind = "positive" | "negative";

// Structured inputs

export interface StructuredInputAnswer {
  values: string[];
  skipped: boolean;
}

interface StructuredInputBase {
  id: string;
  question: string;
  answer?: StructuredInputAnswer;
}

export interface MultipleChoice extends StructuredInputBase {
  type: "multiple_choice";
  options: { value: string }[];
  multiple: boolean;
}

export interface Freeform extends StructuredInputBase {
  type: "freeform";
  description?: string;
}

export type StructuredInput = MultipleChoice | Freeform;

export interface StructuredInputSubmission {
  status: "answered" | "skipped";
  /** By the inputs' ids. */
  answers: Record<string, StructuredInputAnswer>;
}

// Workflows and tasks

export interface Workflow {
  type: "custom" | "reasoning";
  tasks: Task[];
  summary?: WorkflowSummary;
  expanded: boolean;
}

/** The duration is in seconds. */
export type WorkflowSummary = { title: string; icon?: IconName } | { duration: number };

interface TaskBase {
  title?: string;
  status_indicator: "none" | "loading" | "complete";
}

export interface CustomTask extends TaskBase {
  type: "custom";
  icon?: IconName;
  content?: string;
}

export interface SearchTask extends TaskBase {
  type: "web_search";
  title_query?: string;
  queries: string[];
  sources: URLSource[];
}

export interface ThoughtTask extends TaskBase {
  type: "thought";
  content: string;
}

export interface FileTask extends TaskBase {
  type: "file";
  sources: FileSource[];
}

export interface ImageTask extends TaskBase {
  type: "image";
}

export type Task = CustomTask | SearchTask | ThoughtTask | FileTask | ImageTask;

// Sources

interface SourceBase {
  title: string;
  description?: string;
  timestamp?: string;
  group?: string;
}

export interface FileSource extends SourceBase {
  type: "file";
  filename: string;
}

export interface URLSource extends SourceBase {
  type: "url";
  url: string;
  attribution?: string;
}

export interface EntitySource extends SourceBase {
  type: "entity";
  id: string;
  icon?: IconName;
  label?: string;
  inline_label?: string;
  interactive: boolean;
  data: Record<string, unknown>;
}

export type Source = URLSource | FileSource | EntitySource;

export interface Annotation {
  type: "annotation";
  source: Source;
  /** Where in the text it belongs, in characters; at its end without one. */
  index?: number;
}

// Attachments

/** Where the bytes of an attachment are still to be sent, in the two-phase strategy. */
export interface AttachmentUploadDescriptor {
  url: string;
  method: "POST" | "PUT";
  headers: Record<string, string>;
}

export type Attachment = ClientAttachment & {
  upload_descriptor?: AttachmentUploadDescriptor;
  thread_id?: string;
};

// Widgets and actions

/** What a widget's action asks for: the client's types leave out how. */
export type ActionConfig = Widgets.ActionConfig & {
  handler?: "client" | "server";
  loadingBehavior?: "auto" | "none" | "self" | "container";
  streaming?: boolean;
};

/** What is sent of an action. */
export interface Action {
  type: string;
  payload?: Record<string, unknown>;
}

export type WidgetRoot = Widgets.WidgetRoot;
export type WidgetComponent = Widgets.WidgetComponent | Widgets.ListViewItem | Chart;
export type WidgetNode = WidgetRoot | WidgetComponent;

/** The client's types do not have it. */
export type Chart = {
  type: "Chart";
  key?: string;
  id?: string;
  data: Record<string, string | number>[];
  series: ChartSeries[];
  xAxis: string | { dataKey: string; hide?: boolean; labels?: Record<string, string> };
  showYAxis?: boolean;
  showLegend?: boolean;
  showTooltip?: boolean;
  barGap?: number;
  barCategoryGap?: number;
  flex?: number | string;
} & Omit<Widgets.BlockProps, "radius" | "margin">;

export type ChartSeries = {
  label?: string;
  dataKey: string;
  color?: string | Widgets.ThemeColor;
} & (
  | { type: "bar"; stack?: string }
  | { type: "area"; stack?: string; curveType?: CurveType }
  | { type: "line"; curveType?: CurveType }
);

export type CurveType =
  | "basis"
  | "basisClosed"
  | "basisOpen"
  | "bump"
  | "bumpX"
  | "bumpY"
  | "linear"
  | "linearClosed"
  | "monotone"
  | "monotoneX"
  | "monotoneY"
  | "natural"
  | "step"
  | "stepAfter"
  | "stepBefore";

// What a stream says

export type ThreadStreamEvent =
  | { type: "thread.created"; thread: Thread }
  | { type: "thread.updated"; thread: Thread }
  | { type: "thread.item.added"; item: ThreadItem }
  | { type: "thread.item.updated"; item_id: string; update: ThreadItemUpdate }
  | { type: "thread.item.done"; item: ThreadItem }
  | { type: "thread.item.removed"; item_id: string }
  | { type: "thread.item.replaced"; item: ThreadItem }
  | { type: "stream_options"; stream_options: { allow_cancel: boolean } }
  | ProgressUpdateEvent
  | { type: "client_effect"; name: string; data: Record<string, unknown> }
  | ErrorEvent
  | NoticeEvent;

export interface ProgressUpdateEvent {
  type: "progress_update";
  text: string;
  icon?: IconName;
}

export interface ErrorEvent {
  type: "error";
  /** "custom" brings its message with it; there may be new codes at any time. */
  code: string;
  message?: string;
  allow_retry: boolean;
}

export interface NoticeEvent {
  type: "notice";
  level: "info" | "warning" | "danger";
  /** Markdown. */
  message: string;
  title?: string;
}

export type ThreadItemUpdate =
  | { type: "assistant_message.content_part.added"; content_index: number; content: AssistantMessageContent }
  | { type: "assistant_message.content_part.text_delta"; content_index: number; delta: string }
  | {
      type: "assistant_message.content_part.annotation_added";
      content_index: number;
      annotation_index: number;
      annotation: Annotation;
    }
  | { type: "assistant_message.content_part.done"; content_index: number; content: AssistantMessageContent }
  | { type: "widget.streaming_text.value_delta"; component_id: string; delta: string; done: boolean }
  | { type: "widget.component.updated"; component_id: string; component: WidgetComponent }
  | { type: "widget.root.updated"; widget: WidgetRoot }
  | { type: "workflow.task.added"; task_index: number; task: Task }
  | { type: "workflow.task.updated"; task_index: number; task: Task }
  /** The progress is between 0 and 1. */
  | { type: "generated_image.updated"; image: GeneratedImage; progress?: number };

// What is asked for

export interface UserMessageInput {
  content: UserMessageContent[];
  /** Ids. */
  attachments: string[];
  quoted_text?: string;
  inference_options: InferenceOptions;
}

interface PageParams {
  limit?: number;
  order?: "asc" | "desc";
  /** The id of the last row that is already there. */
  after?: string;
}

interface CustomActionParams {
  thread_id: string;
  item_id?: string;
  action: Action;
}

/** The parameters of the operations that are answered by a stream of events. */
export interface StreamingParams {
  "threads.create": { input: UserMessageInput };
  "threads.add_user_message": { thread_id: string; input: UserMessageInput };
  "threads.add_client_tool_output": { thread_id: string; result: unknown };
  "threads.add_structured_input": { thread_id: string; item_id: string; input: StructuredInputSubmission };
  "threads.retry_after_item": { thread_id: string; item_id: string };
  "threads.custom_action": CustomActionParams;
}

/** The parameters of the operations that are answered by one JSON document. */
export interface JSONParams {
  "threads.get_by_id": { thread_id: string };
  "threads.list": PageParams;
  "threads.update": { thread_id: string; title: string };
  "threads.delete": { thread_id: string };
  "threads.sync_custom_action": CustomActionParams;
  "items.list": PageParams & { thread_id: string };
  "items.feedback": { thread_id: string; item_ids: string[]; kind: FeedbackKind };
  "attachments.create": { name: string; size: number; mime_type: string };
  "attachments.delete": { attachment_id: string };
  "input.transcribe": { audio_base64: string; mime_type: string };
}

/** What those are answered with. */
export interface JSONReplies {
  "threads.get_by_id": Thread;
  "threads.list": Page<Thread>;
  "threads.update": Thread;
  "threads.delete": Record<string, never>;
  "threads.sync_custom_action": { updated_item?: ThreadItem };
  "items.list": Page<ThreadItem>;
  "items.feedback": Record<string, never>;
  "attachments.create": Attachment;
  "attachments.delete": Record<string, never>;
  "input.transcribe": { text: string };
}
