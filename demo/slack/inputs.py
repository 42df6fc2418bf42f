"""A person's input: the element touched, and what its state looks like in a payload."""

from collections.abc import Iterator, Mapping

from demo.slack.errors import JsonObject
from demo.slack.workspace import Blocks

TEXT_INPUTS = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input"})
ONE_ID = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
MANY_IDS = {
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
ONE_OPTION = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
MANY_OPTIONS = frozenset({"multi_static_select", "multi_external_select", "checkboxes"})


def interactive(blocks: Blocks) -> Iterator[tuple[str, JsonObject]]:
    """Each element a person can touch, with its block_id."""
    for block in blocks:
        found = [block.get("accessory"), block.get("element")]
        if block["type"] == "actions":
            found += block["elements"]
        for element in found:
            if isinstance(element, dict) and "action_id" in element:
                yield block["block_id"], element


def find_element(blocks: Blocks, action_id: str) -> tuple[str, JsonObject]:
    """Raises LookupError that names the elements there are: a click on nothing is the test's mistake."""
    for block_id, element in interactive(blocks):
        if element["action_id"] == action_id:
            return block_id, element
    there = ", ".join(element["action_id"] for _, element in interactive(blocks)) or "none"
    raise LookupError(f"No element has the action_id {action_id!r}; there are: {there}.")


def option_of(element: JsonObject, value: object) -> JsonObject:
    groups = [group["options"] for group in element.get("option_groups", [])]
    options: list[JsonObject] = [*element.get("options", []), *(o for group in groups for o in group)]
    for entry in options:
        if entry["value"] == value:
            return entry
    there = ", ".join(repr(entry["value"]) for entry in options)
    raise LookupError(f"No option has the value {value!r}; there are: {there}.")


def state_of(element: JsonObject, value: object) -> JsonObject:
    """An element's entry in `state.values`; `value` is a text, an id, an option's value or a list of them."""
    kind: str = element["type"]
    if kind in TEXT_INPUTS:
        return {"type": kind, "value": value}
    if kind in ONE_ID:
        return {"type": kind, ONE_ID[kind]: value}
    if kind in ONE_OPTION:
        return {"type": kind, "selected_option": None if value is None else option_of(element, value)}
    listed = value if isinstance(value, list) else []
    if kind in MANY_IDS:
        return {"type": kind, MANY_IDS[kind]: listed}
    if kind in MANY_OPTIONS:
        return {"type": kind, "selected_options": [option_of(element, entry) for entry in listed]}
    raise LookupError(f"An element of type {kind!r} takes no input.")


def initial_value(element: JsonObject) -> object:
    """What the element holds when the person leaves it alone."""
    kind: str = element["type"]
    if kind in TEXT_INPUTS:
        return element.get("initial_value")
    if kind in ONE_OPTION:
        chosen = element.get("initial_option")
        return chosen["value"] if chosen else None
    if kind in MANY_OPTIONS:
        return [entry["value"] for entry in element.get("initial_options", [])]
    key = (ONE_ID | MANY_IDS).get(kind, "").replace("selected", "initial")
    return element.get(key)


def state_values(blocks: Blocks, given: Mapping[str, object]) -> JsonObject:
    """`state.values` of a view; `given` is by action_id. Raises LookupError for an unknown one."""
    values: JsonObject = {}
    unknown = set(given)
    for block_id, element in interactive(blocks):
        if element["type"] in ("button", "overflow"):
            continue
        action_id = element["action_id"]
        unknown.discard(action_id)
        value = given.get(action_id, initial_value(element))
        values.setdefault(block_id, {})[action_id] = state_of(element, value)
    if unknown:
        raise LookupError(f"No input has the action_id {', '.join(sorted(unknown))}.")
    return values


def action_of(blocks: Blocks, action_id: str, value: object, action_ts: str) -> JsonObject:
    """The entry of `actions` for a click; `value` is what was chosen, where there is a choice."""
    block_id, element = find_element(blocks, action_id)
    action: JsonObject = {"action_id": action_id, "block_id": block_id, "type": element["type"]}
    if element["type"] == "button":
        action |= {key: element[key] for key in ("text", "value", "style", "url") if key in element}
        action["text"] = {"emoji": True, **element["text"]}
    else:
        action |= state_of(element, value)
    return action | {"action_ts": action_ts}
