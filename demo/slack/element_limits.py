"""Block Kit's elements and composition objects with their documented limits."""

from demo.slack.schema import (
    Check,
    Shape,
    anything,
    array,
    boolean,
    integer,
    one_of,
    plain_text,
    string,
    text_object,
    typed,
)

ID = string(255)
URL = string(3000)
DATE = string(10)

CONFIRM = Shape(
    {
        "title": plain_text(100),
        "text": text_object(300),
        "confirm": plain_text(30),
        "deny": plain_text(30),
        "style": one_of("primary", "danger"),
    },
    required=("title", "text", "confirm", "deny"),
)
SLACK_FILE = Shape({"id": string(255), "url": URL}, any_of=("id", "url"))


def option(text: Check) -> Check:
    return Shape(
        {"text": text, "value": string(150), "description": plain_text(75), "url": URL}, required=("text", "value")
    )


PLAIN_OPTION = option(plain_text(75))
RICH_OPTION = option(text_object(75))
GROUP = Shape({"label": plain_text(75), "options": array(PLAIN_OPTION, 100)}, required=("label", "options"))


def _element(fields: dict[str, Check], required: tuple[str, ...] = ()) -> Check:
    common: dict[str, Check] = {"type": anything, "action_id": ID, "confirm": CONFIRM, "focus_on_load": boolean}
    return Shape({**common, **fields}, required=required)


def _select(fields: dict[str, Check], *, many: bool, options: bool = False) -> Check:
    common: dict[str, Check] = {"placeholder": plain_text(150)}
    if many:
        common["max_selected_items"] = integer(1, 100)
    checks = {**common, **fields}
    if not options:
        return _element(checks)
    base: dict[str, Check] = {"type": anything, "action_id": ID, "confirm": CONFIRM, "focus_on_load": boolean}
    return Shape({**base, **checks}, any_of=("options", "option_groups"), one_only=("options", "option_groups"))


OPTIONS: dict[str, Check] = {"options": array(PLAIN_OPTION, 100), "option_groups": array(GROUP, 100)}
FILTER = Shape(
    {
        "include": array(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    }
)
CONVERSATION: dict[str, Check] = {"filter": FILTER, "default_to_current_conversation": boolean}
ONE: dict[str, Check] = {"response_url_enabled": boolean}
IDS = array(string(255), 100)

SELECTS: dict[str, Check] = {
    "static_select": _select({**OPTIONS, "initial_option": PLAIN_OPTION}, many=False, options=True),
    "multi_static_select": _select({**OPTIONS, "initial_options": array(PLAIN_OPTION, 100)}, many=True, options=True),
    "external_select": _select({"initial_option": PLAIN_OPTION, "min_query_length": integer(0, 3000)}, many=False),
    "multi_external_select": _select(
        {"initial_options": array(PLAIN_OPTION, 100), "min_query_length": integer(0, 3000)}, many=True
    ),
    "users_select": _select({"initial_user": ID}, many=False),
    "multi_users_select": _select({"initial_users": IDS}, many=True),
    "channels_select": _select({"initial_channel": ID, **ONE}, many=False),
    "multi_channels_select": _select({"initial_channels": IDS}, many=True),
    "conversations_select": _select({"initial_conversation": ID, **CONVERSATION, **ONE}, many=False),
    "multi_conversations_select": _select({"initial_conversations": IDS, **CONVERSATION}, many=True),
}

BUTTON = _element(
    {
        "text": plain_text(75),
        "value": string(2000, least=0),
        "url": URL,
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
    },
    required=("text",),
)
IMAGE = Shape(
    {"type": anything, "image_url": URL, "slack_file": SLACK_FILE, "alt_text": string(2000, least=0)},
    required=("alt_text",),
    any_of=("image_url", "slack_file"),
)

PICKERS: dict[str, Check] = {
    "datepicker": _element({"initial_date": DATE, "placeholder": plain_text(150)}),
    "timepicker": _element({"initial_time": string(5), "placeholder": plain_text(150), "timezone": string(64)}),
    "datetimepicker": _element({"initial_date_time": integer(0, 9_999_999_999)}),
    "overflow": _element({"options": array(PLAIN_OPTION, 5)}, required=("options",)),
    "checkboxes": _element(
        {"options": array(RICH_OPTION, 10), "initial_options": array(RICH_OPTION, 10)}, required=("options",)
    ),
    "radio_buttons": _element(
        {"options": array(RICH_OPTION, 10), "initial_option": RICH_OPTION}, required=("options",)
    ),
}

DISPATCH = Shape(
    {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)},
    required=("trigger_actions_on",),
)
INPUTS: dict[str, Check] = {
    "plain_text_input": _element(
        {
            "placeholder": plain_text(150),
            "initial_value": string(3000, least=0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "dispatch_action_config": DISPATCH,
        }
    ),
    "email_text_input": _element(
        {"placeholder": plain_text(150), "initial_value": string(3000), "dispatch_action_config": DISPATCH}
    ),
    "url_text_input": _element(
        {"placeholder": plain_text(150), "initial_value": string(3000), "dispatch_action_config": DISPATCH}
    ),
    "number_input": _element(
        {
            "placeholder": plain_text(150),
            "is_decimal_allowed": boolean,
            "initial_value": string(255),
            "min_value": string(255),
            "max_value": string(255),
            "dispatch_action_config": DISPATCH,
        },
        required=("is_decimal_allowed",),
    ),
}

ELEMENTS: dict[str, Check] = {"button": BUTTON, "image": IMAGE, **SELECTS, **PICKERS, **INPUTS}

ACCESSORY = typed(ELEMENTS, frozenset({"button", "image", *SELECTS, *PICKERS}))
ACTION = typed(ELEMENTS, frozenset({"button", *SELECTS, *PICKERS}))
INPUT = typed(ELEMENTS, frozenset({*SELECTS, *PICKERS, *INPUTS}) - {"overflow"})
CONTEXT = typed({"image": IMAGE, "mrkdwn": text_object(3000), "plain_text": text_object(3000)})
