import type { ChatKitOptions, OpenAIChatKit } from "@openai/chatkit";
import type { StaffLine } from "./admin/staff-line.js";
import type { ChatKitElement } from "./element/chatkit-element.js";
import type { STRINGS } from "./element/strings.js";

/** What `chatkit_app.rendering.page_config` writes into the page. */
export interface PageConfig {
  client: "openai" | "bundled" | "auto";
  scriptUrl: string;
  /** Seconds. */
  scriptTimeout: number;
  elementUrl: string;
  endpoint: string;
  runEventsUrl: string;
  runStopUrl: string;
  /** Stands in these URLs for the run's id. */
  runPlaceholder: string;
  /** Of a thread's changes, with the thread's id where the placeholder is. */
  changesUrl: string;
  /** Of the socket that tells of them, without the origin; null where there are none. */
  socketUrl: string | null;
  csrf: { header: string; cookie: string | null; token: string };
  /** Whether the page was made for somebody who is logged in, where one has to be. */
  hadLogin: boolean;
  locale: string;
  domainKey: string;
  persist: { storage: "session" | "local"; key: string } | null;
  /** Under which what is not sent yet is kept, and whose it is; "" of nobody who is logged in, null if that is not known. */
  draft: { key: string; owner: string | null };
  options: Partial<ChatKitOptions>;
  /** Whether users may ask for a person of the team. */
  offersStaff: boolean;
  strings: typeof STRINGS;
  /** Whether the page may say what only developers can use. */
  debug: boolean;
}

/** The `<openai-chatkit>` of the page: the official one, or ours, which can do more. */
export type PageElement = OpenAIChatKit &
  Partial<
    Pick<
      ChatKitElement,
      | "strings"
      | "runEvents"
      | "appUrl"
      | "offersStaff"
      | "followRun"
      | "threadVersion"
      | "isWithStaff"
      | "catchUp"
      | "showTyping"
      | "tryNow"
      | "drafts"
    >
  >;

/** A function of the page that changes the options in place. */
export type Configuration = (options: ChatKitOptions, element: OpenAIChatKit) => void;

declare global {
  interface Window {
    chatkitStaffLine?: StaffLine;
    chatkitConfigure?: { push(...configurations: Configuration[]): number };
  }
}
