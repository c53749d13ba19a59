//! The conformance suite: what every store promises, one case per promise.
//!
//! An adapter runs the whole suite with one line, and every case is a test of its own there:
//!
//! ```
//! use std::ops::Deref;
//!
//! use voicesurvey_core::memory::MemoryStorage;
//! use voicesurvey_core::testing::samples;
//!
//! /// A store of its own for each test; a database would keep its temporary directory here too.
//! struct MemoryUnderTest(MemoryStorage);
//!
//! impl MemoryUnderTest {
//!     /// An empty store; a database would be migrated here.
//!     async fn create() -> Self {
//!         Self(MemoryStorage::default().with_number_keys(samples::number_keys()))
//!     }
//! }
//!
//! impl Deref for MemoryUnderTest {
//!     type Target = MemoryStorage;
//!
//!     fn deref(&self) -> &MemoryStorage {
//!         &self.0
//!     }
//! }
//!
//! voicesurvey_core::storage_conformance!(MemoryUnderTest::create);
//! # fn main() {}
//! ```
//!
//! A case gets an empty store, which has the [keys](crate::testing::samples::number_keys) of samples. It never holds two units of work at once, because a store may let
//! the second one wait for the first.
//!
//! To add a case, write it in the file of its area and add its name to
//! [`storage_conformance!`](crate::storage_conformance),
//! the only list there is.

pub mod audit;
pub mod call_attempts;
pub mod call_rollups;
pub mod call_tasks;
pub mod call_tasks_together;
pub mod campaigns;
pub mod companies;
pub mod contact_records;
pub mod counters;
pub mod erased_numbers;
pub mod erasures;
pub mod events;
pub mod exclusions;
pub mod exports;
pub mod forgetting;
pub mod interviews;
pub mod queue;
pub mod queue_lanes;
pub mod queue_limits;
pub mod queue_prices;
pub mod queue_schedule;
pub mod quotas;
pub mod retention;
pub mod reviews;
pub mod skillbases;
mod support;
pub mod tenancy;
pub mod units_of_work;
pub mod uploads;

use crate::ports::{Audit, Storage, TaskQueue};

/// A store with its queue, as the suite sees it.
pub trait StorageUnderTest: Storage + TaskQueue + Audit {}

impl<S: Storage + TaskQueue + Audit> StorageUnderTest for S {}

/// Makes a test of every case of the [conformance suite](crate::testing::conformance).
///
/// Takes an associated function of a type that is in scope: `Type::create`, async and without
/// arguments. What it returns owns one empty store, together with whatever has to be removed
/// afterwards, and dereferences to the store. The calling crate needs `tokio` with `macros` and
/// `rt-multi-thread`.
#[macro_export]
macro_rules! storage_conformance {
    ($owner:ident::$create:ident) => {
        $crate::storage_conformance! { @tests $owner $create
            units_of_work {
                a_dropped_unit_of_work_leaves_nothing_behind,
                what_was_committed_is_seen_by_later_units_of_work,
                a_unit_of_work_sees_what_it_wrote_itself,
                a_conflict_does_not_keep_earlier_work_of_others_from_being_seen,
                a_migrated_store_checks_out,
            }
            companies {
                a_company_reads_back_as_it_was_stored,
                a_stale_company_is_a_conflict,
                a_company_cannot_be_added_twice,
                companies_are_listed_in_the_order_of_their_creation,
                a_company_is_removed_with_what_belongs_to_it,
                a_company_with_campaigns_is_not_removed,
                an_api_key_reads_back_as_it_was_stored,
                an_api_key_is_found_by_its_hash,
                two_api_keys_cannot_have_one_hash,
                a_revocation_is_never_undone,
            }
            skillbases {
                a_skillbase_reads_back_as_it_was_stored,
                a_stale_skillbase_is_a_conflict,
                a_skillbase_cannot_be_added_twice,
                a_language_has_one_default_skillbase,
                an_edit_cannot_make_a_second_default,
                a_skillbase_is_removed_once,
                a_skillbase_in_use_cannot_be_removed,
                skillbases_are_listed_in_the_order_of_their_creation,
            }
            campaigns {
                a_campaign_reads_back_as_it_was_stored,
                a_campaign_that_nobody_holds_is_locked_at_once,
                every_status_of_a_campaign_reads_back,
                a_changed_campaign_reads_back,
                a_stale_campaign_is_a_conflict,
                an_unknown_campaign_cannot_be_changed,
                a_campaign_cannot_be_added_twice,
                campaigns_are_listed_newest_first,
                campaigns_are_listed_by_status,
                removing_a_campaign_removes_what_belongs_to_it,
                removing_a_campaign_leaves_others_alone,
                a_removed_campaign_is_not_called,
            }
            uploads {
                an_upload_reads_back_as_it_was_stored,
                an_upload_cannot_be_added_twice,
                an_upload_ends_once,
                uploads_are_listed_newest_first,
                rows_that_were_not_taken_read_back_in_order,
                rows_belong_to_the_upload_of_a_company,
                a_list_is_added_as_a_whole_or_not_at_all,
                numbers_of_a_campaign_are_found_among_many,
            }
            call_tasks {
                a_task_reads_back_as_it_was_stored,
                every_state_of_a_task_reads_back,
                every_outcome_and_reason_of_a_task_reads_back,
                a_stale_task_is_a_conflict,
                an_unknown_task_cannot_be_changed,
                numbers_the_campaign_has_are_passed_over,
                thousands_of_tasks_are_added_at_once,
                tasks_are_listed_in_the_order_of_their_creation,
                a_full_last_page_has_no_next,
                tasks_are_filtered_by_campaign_and_status,
                tasks_are_found_by_part_of_name_or_number,
                a_search_knows_no_patterns,
                a_search_ignores_case_in_every_alphabet,
                waiting_tasks_are_found_by_number,
                cancelling_ends_what_waits,
            }
            call_tasks_together {
                tasks_are_locked_in_the_order_named,
                tasks_changed_together_read_back,
                one_stale_task_of_several_is_a_conflict,
            }
            call_attempts {
                an_attempt_is_stored_as_it_was_claimed,
                every_state_of_an_attempt_reads_back,
                a_changed_attempt_reads_back,
                a_stale_attempt_is_a_conflict,
                attempts_are_numbered_from_one,
                attempts_are_listed_newest_first,
                attempts_are_filtered,
                attempts_are_locked_in_the_order_named,
                attempts_changed_together_read_back,
                one_stale_attempt_of_several_is_a_conflict,
                the_providers_names_of_calls_to_a_number_are_told,
            }
            interviews {
                a_conversation_reads_back_as_it_was_stored,
                a_second_conversation_of_an_attempt_is_a_conflict,
                a_stale_conversation_is_a_conflict,
                turns_read_back_in_order,
                a_turn_cannot_be_added_twice,
                answers_read_back_in_the_order_given,
                a_later_answer_replaces_an_earlier_one,
                the_answers_of_a_campaign_come_in_pages,
                the_first_consent_of_an_attempt_stays,
                a_complete_response_stays,
            }
            reviews {
                an_answer_in_doubt_is_listed_until_it_is_reviewed,
                a_correction_keeps_what_it_replaces,
                a_reviewed_answer_is_not_replaced,
                a_removed_campaign_takes_its_reviews_with_it,
            }
            call_rollups {
                a_call_is_summed_up_when_it_has_ended,
                what_is_better_known_later_moves_the_sums,
                calls_belong_to_the_quarter_in_which_they_were_made,
                many_calls_that_end_together_are_summed_up,
                sums_of_others_do_not_exist,
            }
            contact_records {
                a_record_has_everything_that_came_of_a_contact,
                parts_that_are_not_wanted_are_empty,
                records_come_in_pages_in_the_order_of_creation,
                records_are_filtered_as_the_filter_says,
                a_column_is_compared_letter_for_letter,
                records_of_others_do_not_exist,
            }
            exports {
                an_export_reads_back_as_it_was_stored,
                exports_are_listed_newest_first,
                an_export_is_begun_again_when_its_lease_has_run_out,
                companies_take_turns_with_their_exports,
                exports_that_are_open_are_counted,
                fetches_of_an_export_are_counted,
                contents_are_kept_until_they_expire,
                files_that_may_hold_somebody_are_withdrawn,
                an_export_that_has_ended_is_not_changed,
                a_removed_campaign_takes_its_exports_with_it,
                exports_of_others_do_not_exist,
                the_columns_of_all_lists_are_told,
            }
            exclusions {
                an_exclusion_reads_back_as_it_was_stored,
                an_exclusion_is_not_overwritten,
                excluded_numbers_are_found_among_many,
                an_exclusion_is_removed_once,
                exclusions_are_listed_in_the_order_of_their_numbers,
                numbers_are_excluded_together,
                exclusions_are_searched,
                removals_are_kept_newest_first,
                excluding_ends_what_waits,
            }
            erased_numbers {
                an_erased_number_is_put_onto_no_list,
                a_further_number_is_taken_from_other_people,
            }
            erasures {
                an_erased_person_is_nobody,
                a_call_keeps_its_name_until_it_is_priced,
                lost_consents_are_those_of_people_who_were_not_erased,
                an_erased_number_stays_excluded,
                erasing_twice_erases_what_has_come_since,
                rows_that_were_not_taken_are_erased_with_the_person,
                recordings_of_erased_people_are_known_until_forgotten,
                reports_of_erasures_read_back,
            }
            retention {
                what_a_company_keeps_reads_back,
                words_of_old_calls_are_forgotten,
                old_answers_are_forgotten,
                contacts_of_old_campaigns_are_forgotten,
                rows_that_were_not_taken_are_forgotten_with_their_campaign,
            }
            forgetting {
                results_stay_as_they_are_without_words,
                forgotten_answers_are_counted_apart,
                calls_and_files_of_forgotten_contacts_lose_their_names,
                files_of_what_is_not_kept_are_withdrawn,
            }
            events {
                an_event_is_received_once,
                an_event_of_a_dropped_unit_of_work_is_new_again,
                two_attempts_may_have_events_of_one_name,
                events_that_come_together_are_told_apart,
                published_events_read_back_in_order,
                an_event_cannot_be_published_twice,
            }
            tenancy {
                another_company_does_not_exist,
                api_keys_of_others_do_not_exist,
                skillbases_of_others_do_not_exist,
                campaigns_of_others_do_not_exist,
                a_campaign_cannot_borrow_a_skillbase,
                uploads_of_others_do_not_exist,
                tasks_of_others_do_not_exist,
                a_task_cannot_be_put_into_a_campaign_of_others,
                attempts_of_others_do_not_exist,
                interviews_of_others_do_not_exist,
                reviews_of_others_do_not_exist,
                nothing_is_written_into_interviews_of_others,
                exclusions_of_others_do_not_exist,
                the_operators_exclusions_are_the_operators,
                events_of_others_do_not_exist,
                the_platform_sees_every_company,
            }
            queue {
                an_empty_queue_has_nothing_to_claim,
                a_claim_commits_task_and_attempt,
                a_claim_takes_at_most_what_was_asked_for,
                concurrent_claims_never_share_a_task,
                priority_comes_before_due_time,
                only_running_campaigns_are_called,
                a_resumed_campaign_goes_on,
                added_tasks_wake_a_running_campaign,
                a_number_is_called_once_at_a_time,
                two_companies_may_call_one_number,
                a_claim_makes_older_copies_stale,
                companies_and_campaigns_take_turns,
                an_excluded_number_is_not_claimed,
                people_turned_away_are_told_apart_from_nobody,
                nobody_is_claimed_outside_the_calling_hours,
                a_task_that_was_put_back_is_claimed_again,
            }
            queue_limits {
                the_lines_of_a_campaign_are_exact,
                the_lines_of_a_company_are_exact,
                a_call_that_ends_frees_its_line,
                a_line_is_freed_once,
                a_removed_campaign_frees_its_lines,
                a_resumed_campaign_remembers_its_calls,
                the_pace_of_a_campaign_is_exact,
                the_pace_of_a_company_is_exact,
                no_minute_holds_more_calls_than_its_pace,
                calls_are_as_far_apart_as_asked,
                a_resumed_campaign_remembers_its_pace,
                wider_limits_of_a_campaign_apply_at_once,
                wider_limits_of_a_company_apply_at_once,
                narrower_limits_let_calls_end_first,
            }
            queue_schedule {
                a_task_waits_for_its_time,
                due_tasks_become_claimable_earliest_first,
                a_postponed_task_waits_again,
                a_task_that_is_due_when_written_is_claimable,
                due_tasks_do_not_wake_a_paused_campaign,
                expired_leases_are_found,
                waiting_calls_are_found_when_their_campaign_stops,
                scheduled_campaigns_are_found_at_their_start,
                finished_campaigns_are_found,
                no_more_campaigns_are_told_than_asked_for,
                campaigns_that_have_reached_their_target_are_found,
                the_target_that_calls_follow_counts,
                campaigns_that_have_spent_their_budget_are_found,
                a_price_wakes_a_campaign_that_waits_for_its_budget,
            }
            queue_prices {
                prices_are_found_when_they_are_to_be_asked_for,
            }
            queue_lanes {
                tasks_wait_in_lanes,
                the_lane_that_closes_soonest_is_called_first,
                a_lane_closes_without_touching_its_tasks,
                a_lane_that_never_opens_is_emptied,
                a_resumed_campaign_has_its_lanes_reviewed,
                a_person_is_not_called_more_often_than_allowed,
                a_suspended_company_does_not_call,
                the_lines_of_a_provider_are_exact,
                the_pace_of_a_provider_is_exact,
                a_budget_is_not_exceeded,
                a_failed_call_that_costs_something_is_counted_once,
                a_campaign_that_winds_up_is_emptied,
            }
            quotas {
                cells_of_tasks_and_lanes_read_back,
                tasks_are_counted_by_cell_and_status,
                a_claim_takes_no_more_places_than_are_left,
                concurrent_claims_share_the_places,
                a_full_cell_is_not_called,
                campaigns_whose_cells_are_all_full_are_found,
            }
            counters {
                an_empty_campaign_counts_nothing,
                counters_follow_added_tasks,
                counters_follow_calls,
                counters_follow_promotion_the_gate_and_cancelling,
                counters_survive_a_long_mixed_history,
            }
            audit {
                a_healthy_store_has_no_findings_after_a_mixed_history,
                what_is_under_way_is_no_finding,
                what_is_late_is_found,
                people_who_could_be_called_and_are_not_are_told_of,
                a_response_without_its_call_or_consent_is_found,
            }
        }
    };
    (@tests $owner:ident $create:ident $($area:ident { $($case:ident,)+ })+) => {$(
        mod $area {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let under_test = super::$owner::$create().await;
                $crate::testing::conformance::$area::$case(&*under_test).await;
            }
        )+}
    )+};
}
