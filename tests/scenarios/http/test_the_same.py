"""What holds over Socket Mode holds over HTTP: the very same scenarios."""

from tests.scenarios.stage import empty_stage, stage
from tests.scenarios.test_answers import (
    test_a_mention_is_answered_in_its_thread,
    test_a_pasted_token_is_never_echoed_and_the_person_is_told_to_revoke_it,
    test_knowledge_is_for_the_asker_only,
    test_outsiders_bots_and_deactivated_people_get_no_answer,
    test_without_a_policy_nothing_is_offered_and_an_old_button_says_why,
)
from tests.scenarios.test_checks import (
    test_a_mention_in_a_thread_is_answered_in_that_thread,
    test_one_message_at_once_is_edited_into_the_answer,
)
from tests.scenarios.test_requests import (
    test_a_denial_needs_a_reason_and_ends_it,
    test_a_form_that_was_tampered_with_does_nothing,
    test_a_restart_is_asked_for_approved_done_and_watched,
    test_a_shortcut_checks_what_an_alert_names_in_its_thread,
    test_an_answer_has_a_button_that_leads_to_its_remedy,
    test_the_home_tab_shows_what_waits_and_changes_with_it,
)

__all__ = [
    "empty_stage",
    "stage",
    "test_a_denial_needs_a_reason_and_ends_it",
    "test_a_form_that_was_tampered_with_does_nothing",
    "test_a_mention_in_a_thread_is_answered_in_that_thread",
    "test_a_mention_is_answered_in_its_thread",
    "test_a_pasted_token_is_never_echoed_and_the_person_is_told_to_revoke_it",
    "test_a_restart_is_asked_for_approved_done_and_watched",
    "test_a_shortcut_checks_what_an_alert_names_in_its_thread",
    "test_an_answer_has_a_button_that_leads_to_its_remedy",
    "test_knowledge_is_for_the_asker_only",
    "test_one_message_at_once_is_edited_into_the_answer",
    "test_outsiders_bots_and_deactivated_people_get_no_answer",
    "test_the_home_tab_shows_what_waits_and_changes_with_it",
    "test_without_a_policy_nothing_is_offered_and_an_old_button_says_why",
]
