"""What there is to a ChatKit client, row by row, and the tests of this package that cover it.

The official client's published types and the Python SDK say what there is; a member that one of them adds, and a test
that goes, fail here.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from chatkit import types as sdk
from chatkit import widgets
from pydantic import BaseModel

from tests.js import package

# Owner | its members | tests. A row holds members that are covered by the same tests.

OPTIONS = """
ChatKitOptions | api | test_api_names_the_endpoint_and_how_to_ask_it
ChatKitOptions | locale | test_locale_goes_before_the_language_of_the_page
ChatKitOptions | theme | test_themes_can_be_read test_theme_that_is_not_as_it_should_be_is_the_usual_one
ChatKitOptions | frameTitle | test_frame_title_names_the_chat test_without_a_frame_title_the_chat_has_a_name
ChatKitOptions | initialThread | test_persist_reopens_the_thread test_thread_that_is_gone_is_told
ChatKitOptions | onClientTool onClientTool.name onClientTool.params | test_client_tool_is_called_and_its_result_sent
ChatKitOptions | header | test_header_can_be_switched_off_part_by_part
ChatKitOptions | history | test_history_lists_threads_and_opens_one test_history_renames_deletes_and_opens
ChatKitOptions | startScreen | test_start_screen_prompt_sends_its_message
ChatKitOptions | threadItemActions | test_actions_that_were_not_asked_for_are_not_there
ChatKitOptions | composer | test_composer_of_nothing_but_text_is_one_row test_everything_at_once_fits_320_pixels
ChatKitOptions | disclaimer | test_disclaimer_is_below_the_composer
ChatKitOptions | entities | test_entity_picked_by_keyboard_is_sent_in_its_place
ChatKitOptions | commands | test_menu_offers_what_the_composer_can_do
ChatKitOptions | widgets | test_a_widget_lets_the_page_act
ChatKitOptions | thread | test_auto_scroll_follows_an_answer_only_when_it_is_wanted
CustomApiConfig | url fetch | test_api_names_the_endpoint_and_how_to_ask_it
CustomApiConfig | domainKey | test_tour_stays_within_the_site_and_its_policy
CustomApiConfig | uploadStrategy | test_attachments_need_a_strategy
FileUploadStrategy | type uploadUrl | test_direct_upload_is_one_form_and_its_answer_goes_with_the_message
FileUploadStrategy | type | test_two_phase_upload_sends_the_bytes_where_it_is_told_to
HeaderOption | enabled | test_header_can_be_left_out
HeaderOption | title title.enabled | test_header_can_be_switched_off_part_by_part
HeaderOption | title.text | test_static_title_stands_for_that_of_the_thread
HeaderOption | leftAction leftAction.icon leftAction.onClick | test_page_s_own_header_button_is_called
HeaderOption | rightAction rightAction.icon rightAction.onClick | test_icons_of_the_page_s_own_buttons_are_named
HistoryOption | enabled | test_header_can_be_switched_off_part_by_part
HistoryOption | showDelete | test_row_is_deleted_by_keyboard_and_the_next_has_the_focus
HistoryOption | showDelete | test_history_without_the_options_has_no_menus
HistoryOption | showRename | test_row_is_renamed_by_keyboard test_title_cannot_be_edited_unless_the_option_says_so
StartScreenOption | greeting prompts | test_start_screen_prompt_sends_its_message
StartScreenPrompt | label icon | test_prompts_have_their_icons
StartScreenPrompt | prompt | test_prompt_of_rich_content_is_sent_as_it_is
ThreadItemActionsOption | feedback | test_feedback_is_sent_for_all_items_of_the_answer
ThreadItemActionsOption | retry | test_answer_can_be_asked_for_again
ThreadOption | autoScroll | test_auto_scroll_follows_an_answer_only_when_it_is_wanted
DisclaimerOption | text highContrast | test_disclaimer_of_high_contrast_is_as_dark_as_the_text
ComposerOption | placeholder | test_placeholder_is_shown_and_names_the_field
ComposerOption | attachments attachments.enabled | test_attachments_need_a_strategy
ComposerOption | attachments.maxSize attachments.accept | test_file_that_is_not_taken_is_told_before_anything_is_sent
ComposerOption | attachments.maxSize attachments.accept | test_file_within_the_limits_is_taken
ComposerOption | attachments.maxCount | test_files_beyond_the_number_allowed_are_left_out
ComposerOption | tools | test_tool_from_the_menu_goes_with_one_message
ComposerOption | models | test_first_model_that_is_enabled_is_sent_until_another_is_chosen
ComposerOption | dictation dictation.enabled | test_speech_becomes_text_at_the_caret
ComposerOption | dictation dictation.enabled | test_dictation_is_off_unless_it_is_asked_for
ToolOption | id label shortLabel placeholderOverride | test_tool_from_the_menu_goes_with_one_message
ToolOption | icon | test_persistent_tool_from_the_menu_stays
ToolOption | pinned persistent | test_pinned_tool_is_a_button_and_a_persistent_one_stays
ModelOption | id label disabled | test_first_model_that_is_enabled_is_sent_until_another_is_chosen
ModelOption | description | test_model_is_chosen
ModelOption | default | test_default_model_is_chosen_and_the_page_can_choose_another
EntitiesOption | onTagSearch | test_results_are_grouped_and_walked_through_with_the_arrows
EntitiesOption | showComposerMenu | test_button_begins_a_search
EntitiesOption | onClick | test_tag_that_is_interactive_tells_the_page test_entity_that_is_interactive_tells_the_page
EntitiesOption | onRequestPreview onRequestPreview.preview | test_tag_shows_the_preview_of_the_page
Entity | title id group data | test_entity_picked_by_keyboard_is_sent_in_its_place
Entity | icon | test_product_is_mentioned_and_previewed
Entity | interactive | test_tag_that_is_interactive_tells_the_page
CommandsOption | enabled | test_slash_is_a_slash_without_commands
CommandsOption | onSearch | test_command_that_gives_an_entity_puts_it_into_the_text
CommandsOption | onSearch | test_search_that_fails_leaves_the_composer_s_own_commands
CommandsOption | onSelect | test_command_without_a_result_leaves_nothing_behind test_command_that_fails_is_told
Command | id label group | test_command_that_gives_a_menu_opens_it_and_escape_goes_back
Command | description icon | test_command_asks_for_a_form
CommandSelection | type entity | test_command_that_gives_an_entity_puts_it_into_the_text
CommandSelection | type commands | test_command_that_gives_a_menu_opens_it_and_escape_goes_back
WidgetsOption | onAction onAction.type | test_action_of_the_page_is_told_of_its_widget
WidgetsOption | onAction.payload onAction.id onAction.widget | test_action_of_the_page_is_told_of_its_widget
ThemeOption | colorScheme color | test_themes_can_be_read
ThemeOption | typography | test_font_sources_are_added_once
ThemeOption | radius | test_radius_rounds_what_the_user_wrote
ThemeOption | density | test_density_moves_things_apart
TypographyOption | baseSize fontSources fontFamily | test_font_sources_are_added_once
TypographyOption | fontFamilyMono | test_theme_is_not_mixed_with_the_one_before
FontObject | family src weight style display unicodeRange | test_font_sources_are_added_once
ColorOption | grayscale accent surface | test_themes_can_be_read
GrayscaleOptions | hue tint shade | test_themes_can_be_read
AccentColor | primary level | test_accent_reaches_as_far_as_its_level
SurfaceColors | background foreground | test_surface_settles_the_scheme
"""

METHODS = """
OpenAIChatKit | setOptions | test_theme_is_not_mixed_with_the_one_before
OpenAIChatKit | setOptions | test_tool_that_new_options_lack_is_chosen_no_more
OpenAIChatKit | focusComposer setThreadId | test_methods_send_and_switch
OpenAIChatKit | sendUserMessage.newThread sendUserMessage.model | test_methods_send_and_switch
OpenAIChatKit | sendUserMessage sendUserMessage.text | test_message_of_the_page_leaves_the_composer_alone
OpenAIChatKit | sendUserMessage.content sendUserMessage.reply | test_message_of_the_page_is_sent_with_all_it_has
OpenAIChatKit | sendUserMessage.attachments | test_message_of_the_page_is_sent_with_all_it_has
OpenAIChatKit | sendUserMessage.toolChoice | test_message_of_the_page_is_sent_with_all_it_has
OpenAIChatKit | sendCustomAction | test_custom_action_is_sent_and_answered
OpenAIChatKit | sendCustomAction.type sendCustomAction.payload | test_custom_action_is_sent_and_answered
OpenAIChatKit | setComposerValue setComposerValue.text setComposerValue.reply | test_value_that_is_not_given_stays
OpenAIChatKit | setComposerValue.reply | test_reply_is_shown_and_goes_with_one_message
OpenAIChatKit | setComposerValue.content | test_tags_of_the_page_are_sent_as_they_are
OpenAIChatKit | setComposerValue.attachments | test_attachments_of_the_page_are_shown_and_sent
OpenAIChatKit | setComposerValue.files | test_file_without_a_type_gets_that_of_its_extension
OpenAIChatKit | setComposerValue.selectedToolId | test_only_one_tool_is_chosen_at_a_time
OpenAIChatKit | setComposerValue.selectedModelId | test_default_model_is_chosen_and_the_page_can_choose_another
OpenAIChatKit | showHistory hideHistory | test_history_is_shown_and_hidden_by_the_page
OpenAIChatKit | fetchUpdates | test_fetch_updates_shows_what_the_server_has test_fetch_updates_keeps_the_older_items
Attachment | type id name mime_type preview_url | test_attachments_of_the_page_are_shown_and_sent
UserMessageContent | type text id group data interactive | test_tags_of_the_page_are_sent_as_they_are
ToolChoice | id | test_message_of_the_page_is_sent_with_all_it_has
"""

EVENTS = """
ChatKitEvents | chatkit.ready chatkit.response.start chatkit.response.end | test_events_tell_the_page_of_an_answer
ChatKitEvents | chatkit.error chatkit.error.error | test_error_is_told_to_the_page
ChatKitEvents | chatkit.effect chatkit.effect.name chatkit.effect.data | test_an_effect_on_the_page_is_seen
ChatKitEvents | chatkit.effect | test_effect_is_told_once_when_an_answer_is_read_again
ChatKitEvents | chatkit.deeplink chatkit.deeplink.name chatkit.deeplink.data | test_deeplink_is_told_to_the_page
ChatKitEvents | chatkit.history.open chatkit.history.close | test_history_lists_threads_and_opens_one
ChatKitEvents | chatkit.thread.change chatkit.thread.change.threadId | test_new_chat_is_told_to_the_page
ChatKitEvents | chatkit.thread.load.start | test_history_lists_threads_and_opens_one
ChatKitEvents | chatkit.thread.load.start.threadId | test_history_lists_threads_and_opens_one
ChatKitEvents | chatkit.thread.load.end chatkit.thread.load.end.threadId | test_history_lists_threads_and_opens_one
ChatKitEvents | chatkit.tool.change chatkit.tool.change.toolId | test_tool_from_the_menu_goes_with_one_message
ChatKitEvents | chatkit.log chatkit.log.name chatkit.log.data | test_log_tells_what_was_done_but_not_what_was_said
"""

SDK = """
StreamingReq | ThreadsCreateReq ThreadsAddUserMessageReq | test_second_message_goes_into_the_same_thread
StreamingReq | ThreadsAddClientToolOutputReq | test_a_client_tool_runs_in_the_page
StreamingReq | ThreadsAddStructuredInputReq | test_questions_are_answered_and_the_answer_goes_on
StreamingReq | ThreadsRetryAfterItemReq | test_answer_is_given_again test_a_failure_can_be_retried
StreamingReq | ThreadsCustomActionReq | test_a_form_sends_its_values_and_gives_way_to_a_card
NonStreamingReq | ThreadsGetByIdReq ItemsListReq | test_long_thread_opens_at_its_end_with_one_page
NonStreamingReq | ThreadsListReq | test_history_loads_the_next_page_as_one_scrolls
NonStreamingReq | ItemsFeedbackReq | test_feedback_is_there_after_a_reload
NonStreamingReq | AttachmentsCreateReq | test_two_phase_upload_sends_the_bytes_where_it_is_told_to
NonStreamingReq | AttachmentsDeleteReq | test_a_file_that_is_removed_is_not_sent
NonStreamingReq | ThreadsUpdateReq ThreadsDeleteReq | test_history_renames_deletes_and_opens
NonStreamingReq | InputTranscribeReq | test_dictation_becomes_text
NonStreamingReq | ThreadsSyncCustomActionReq | test_a_widget_is_changed_by_a_sync_action_alone
ThreadStreamEvent | ThreadCreatedEvent | test_message_is_answered
ThreadStreamEvent | ThreadUpdatedEvent | test_title_of_the_thread_comes_with_an_update
ThreadStreamEvent | ThreadUpdatedEvent | test_a_closed_conversation_takes_no_more_messages
ThreadStreamEvent | ThreadItemAddedEvent | test_answer_grows_while_it_is_written
ThreadStreamEvent | ThreadItemUpdatedEvent ThreadItemDoneEvent | test_answer_grows_while_it_is_written
ThreadStreamEvent | ThreadItemRemovedEvent ThreadItemReplacedEvent | test_items_are_replaced_and_removed
ThreadStreamEvent | StreamOptionsEvent | test_stop_keeps_the_text_and_stops_the_run
ThreadStreamEvent | ProgressUpdateEvent | test_progress_is_shown_with_its_icon
ThreadStreamEvent | ProgressUpdateEvent | test_progress_is_told_in_its_steps_and_goes
ThreadStreamEvent | ClientEffectEvent | test_an_effect_on_the_page_is_seen
ThreadStreamEvent | ErrorEvent | test_error_event_is_shown_and_retry_asks_after_the_message
ThreadStreamEvent | ErrorEvent | test_a_refusal_is_told_and_cannot_be_retried
ThreadStreamEvent | NoticeEvent | test_notice_is_shown_in_its_level test_notices_of_each_level_are_told_apart
ThreadItemUpdate | AssistantMessageContentPartAdded | test_parts_of_a_message_are_added_and_done
ThreadItemUpdate | AssistantMessageContentPartTextDelta | test_parts_of_a_message_are_added_and_done
ThreadItemUpdate | AssistantMessageContentPartDone | test_parts_of_a_message_are_added_and_done
ThreadItemUpdate | AssistantMessageContentPartAnnotationAdded | test_sources_are_listed_when_the_answer_is_there
ThreadItemUpdate | WidgetStreamingTextValueDelta | test_streamed_text_grows_where_it_is
ThreadItemUpdate | WidgetStreamingTextValueDelta | test_a_widget_that_writes_grows
ThreadItemUpdate | WidgetComponentUpdated | test_component_is_replaced_by_its_update
ThreadItemUpdate | WidgetRootUpdated | test_root_of_a_widget_is_replaced
ThreadItemUpdate | WorkflowTaskAdded WorkflowTaskUpdated | test_a_workflow_ticks_off_its_tasks_and_says_what_was_done
ThreadItemUpdate | GeneratedImageUpdated | test_generated_image_shows_how_far_it_is
ThreadItem | UserMessageItem | test_tags_stand_where_they_were_put test_quote_is_above_the_message
ThreadItem | AssistantMessageItem | test_a_long_answer_is_markdown_of_every_kind
ThreadItem | ClientToolCallItem HiddenContextItem SDKHiddenContextItem | test_records_can_be_shown_to_staff
ThreadItem | ClientToolCallItem HiddenContextItem SDKHiddenContextItem | test_hidden_context_stays_on_the_server
ThreadItem | WidgetItem | test_widget_of_a_thread_sends_its_action_and_is_updated
ThreadItem | GeneratedImageItem | test_an_image_is_made_enlarged_and_offered_for_download
ThreadItem | StructuredInputItem | test_questions_are_answered_and_the_answer_goes_on test_questions_can_be_skipped
ThreadItem | WorkflowItem | test_workflow_opens_and_closes
ThreadItem | TaskItem | test_a_task_stands_alone
ThreadItem | EndOfTurnItem | test_the_end_of_a_turn_shows_nothing_of_its_own
Task | CustomTask ThoughtTask FileTask ImageTask | test_task_says_what_it_was
Task | SearchTask | test_search_links_to_what_it_found
Source | URLSource | test_mark_of_a_page_is_a_link test_card_of_a_page_comes_with_the_pointer_and_goes_with_it
Source | FileSource | test_sources_are_cited_and_listed
Source | EntitySource | test_entity_that_is_interactive_tells_the_page
Source | EntitySource | test_sources_of_the_page_are_previewed_and_can_be_clicked
WorkflowSummary | CustomSummary | test_workflow_is_called_after_what_it_did
WorkflowSummary | DurationSummary | test_workflow_says_its_duration_in_the_language_of_the_chat
StructuredInput | StructuredInputMultipleChoice StructuredInputFreeform | test_answers_are_sent_by_question
UserMessageContent | UserMessageTextContent UserMessageTagContent | test_tags_stand_where_they_were_put
ThreadStatus | ActiveStatus LockedStatus | test_thread_that_staff_have_shut_takes_no_message
ThreadStatus | ClosedStatus | test_a_closed_conversation_takes_no_more_messages
Attachment | FileAttachment | test_attached_file_says_its_name_and_kind
Attachment | ImageAttachment | test_attached_image_opens_large_and_gives_the_focus_back
"""

WIDGETS = """
Root | Card | test_card_folds_when_its_action_is_over test_card_as_form_validates_for_confirm_and_not_for_cancel
Root | ListView ListViewItem | test_list_shows_more_when_asked_and_goes_on_showing_it
Root | ListView ListViewItem | test_item_of_a_list_is_a_button_around_its_controls
Root | Basic | test_every_widget_page_is_turned test_preview_has_no_actions
Node | Title Image Input Textarea Select Checkbox RadioGroup Divider Button | test_node_has_its_role_and_name
Node | Text Caption Badge Markdown Label | test_text_is_shown
Node | Box Row Col Form Transition | test_container_shows_its_children
Node | Icon Spacer | test_every_widget_is_shown
Node | Table Table.Row Table.Cell | test_table_has_header_cells_and_spans
Node | Chart | test_chart_is_drawn
Node | DatePicker | test_date_is_bounded_by_the_days_as_written
Node | Form | test_form_adds_its_fields_to_the_payload
Node | Label | test_label_names_the_field_of_its_form
Node | Markdown | test_streamed_text_grows_where_it_is
Series | BarSeries | test_stacked_bars_stand_on_each_other
Series | LineSeries | test_line_has_a_gap_where_there_is_no_number
Series | AreaSeries | test_area_stands_on_the_one_below
CurveType | linear step stepBefore monotone linearClosed basisOpen | test_curve_is_of_its_type
CurveType | stepAfter monotoneX monotoneY natural | test_every_curve_of_the_sdk_is_drawn
CurveType | basis basisClosed bump bumpX bumpY | test_every_curve_of_the_sdk_is_drawn
WidgetStatus | WidgetStatusWithFavicon | test_image_from_elsewhere_waits_to_be_asked_for
WidgetStatus | WidgetStatusWithIcon | test_every_widget_list_and_folded_card_open
"""

# OpenAI's hosted backend has no place here; the DOM's own methods are the DOM's.
NOT_OURS = {
    "HostedApiConfig.getClientSecret",
    "OpenAIChatKit.addEventListener",
    "OpenAIChatKit.removeEventListener",
}


def rows(table: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for line in table.strip().splitlines():
        owner, members, tests = line.split(" | ")
        yield owner, members.split(), tests.split()


def covered(table: str) -> set[str]:
    return {f"{owner}.{member}" for owner, members, _ in rows(table) for member in members}


# What there is

TOKEN = re.compile(
    r"""export\ (?:type|interface)\ (?P<declared>\w+)
    | (?P<member>[\w$]+|'[^']+')(?:<[^()<>;]*>)?\??\s*(?::|(?=\())
    | (?P<opened>[({])
    | (?P<closed>[)}])""",
    re.VERBOSE,
)


def members(source: str) -> set[str]:
    """The members of the exported types of a file of TypeScript, also those of types within them."""
    found: set[str] = set()
    name, path = "", []
    for token in TOKEN.finditer(re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.DOTALL)):
        if token["declared"]:
            name, path = token["declared"], []
        elif token["opened"]:
            path.append((token["opened"], name))
        elif token["closed"] and path:
            name = path.pop()[1]
        elif token["member"] and path and path[-1][0] == "{":
            name = f"{path[-1][1]}.{token['member'].strip(chr(39))}"
            found.add(name)
        elif path:  # an argument goes by the name of its function
            name = path[-1][1]
    return found


def of_the_client(file: str) -> str:
    return (package("@openai/chatkit") / "types" / file).read_text()


def names(*unions: Any) -> set[str]:
    """The members of unions, as a table names them."""
    found = set()
    for union in unions:
        inner = get_args(union)[0] if hasattr(union, "__metadata__") else union
        found |= {member if isinstance(member, str) else member.__name__ for member in get_args(inner)}
    return found


def test_members_are_read_as_they_are_nested():
    source = """
    export type A = { /** b: c */ one: string; two?: { three(x: number): void; 'a.b': 1 } };  // no: comment
    export type B = | { type: 'x'; } | { other: string };
    export interface C extends D { call(params: { text?: string; }): Promise<void>; next<K>(k: K): void; }
    """
    assert members(source) == {
        "A.one",
        "A.two",
        "A.two.three",
        "A.two.a.b",
        "B.type",
        "B.other",
        "C.call",
        "C.call.text",
        "C.next",
    }


def test_every_option_method_and_event_of_the_client_is_covered():
    there = members(of_the_client("index.d.ts")) - NOT_OURS
    assert len(there) > 150
    assert there == covered(OPTIONS) | covered(METHODS) | covered(EVENTS)


def test_every_request_event_item_and_update_of_the_sdk_is_covered():
    owners = {owner for owner, _, _ in rows(SDK)}
    there = {f"{owner}.{name}" for owner in owners for name in names(getattr(sdk, owner))}
    assert len(there) > 60
    assert there == covered(SDK)


def test_no_union_of_the_sdk_is_left_out():
    unions = {
        name
        for name, value in inspect.getmembers(sdk)
        if name[0].isupper() and len(get_args(getattr(value, "__origin__", value))) > 1
    }
    # The one of all requests.
    assert unions - {owner for owner, _, _ in rows(SDK)} == {"ChatKitReq"}


def test_every_widget_of_the_sdk_is_covered():
    models = [
        model
        for _, model in inspect.getmembers(widgets, inspect.isclass)
        if issubclass(model, BaseModel) and model.__module__ == widgets.__name__
    ]
    kinds = {
        value
        for model in models
        if "type" in model.model_fields and not model.__name__.endswith("Series")
        for value in get_args(model.model_fields["type"].annotation)
    }
    shown = {member for owner, found, _ in rows(WIDGETS) if owner in ("Root", "Node") for member in found}
    assert len(kinds) > 25
    # The SDK knows tables only as JSON of the Widget Studio's.
    assert kinds == shown - {"Table", "Table.Row", "Table.Cell"}
    for owner in ("Series", "CurveType", "WidgetStatus"):
        there = {f"{owner}.{name}" for name in names(getattr(widgets, owner))}
        assert there == {row for row in covered(WIDGETS) if row.startswith(f"{owner}.")}


def test_every_widget_of_the_client_is_covered():
    kinds = set(re.findall(r"^  type: '([\w.]+)'", of_the_client("widgets.d.ts"), re.MULTILINE))
    shown = {member for owner, found, _ in rows(WIDGETS) if owner in ("Root", "Node") for member in found}
    assert len(kinds) > 25
    assert kinds - shown == set()


def defined() -> set[str]:
    """The names of the tests of this package."""
    trees = [ast.parse(path.read_text()) for path in Path(__file__).parent.glob("test_*.py")]
    functions = [
        node
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {function.name for function in functions if function.name.startswith("test_")}


@pytest.mark.parametrize("table", [OPTIONS, METHODS, EVENTS, SDK, WIDGETS])
def test_every_test_that_is_named_is_there(table: str):
    assert {test for _, _, tests in rows(table) for test in tests} - defined() == set()
