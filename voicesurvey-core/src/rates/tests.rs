use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::call_task::{CallTask, TaskState};
use crate::gate::Reason;
use crate::outcome::Outcome;
use crate::testing::samples::{self, SampleTask as _};

fn example() -> Value {
    serde_json::from_str(include_str!("../../../tests/data/aapor_example.json")).unwrap()
}

fn counted(counts: &Value) -> Dispositions {
    let mut dispositions = Dispositions::default();
    for (code, count) in counts.as_object().unwrap() {
        let disposition = Disposition::of_code(code).expect("the code is known");
        dispositions.count(disposition, count.as_u64().unwrap());
    }
    dispositions
}

fn decimal(value: &Value) -> Decimal {
    value.to_string().parse().unwrap()
}

fn assert_rates(rates: &Rates, expected: &Value) {
    let expected = expected.as_object().unwrap();
    assert_eq!(rates.rates.len(), expected.len());
    for rate in &rates.rates {
        let expected = decimal(&expected[rate.name]);
        assert_eq!(
            rate.value,
            Some(expected),
            "{}: {}",
            rate.name,
            rate.formula
        );
    }
}

#[test]
fn the_published_example_comes_out_to_four_decimals() {
    let example = example();
    let dispositions = counted(&example["counts"]);
    assert_eq!(dispositions.total(), 2_000);
    for group in Group::ALL {
        let expected = &example["groups"][group.symbol()];
        assert_eq!(
            dispositions.of(group),
            expected.as_u64().unwrap(),
            "{group:?}"
        );
    }
    let rates = Rates::of(dispositions.clone(), Eligibility::AmongKnown);
    assert_eq!(rates.e.value, Some(decimal(&example["e_default"])));
    assert_eq!(rates.e.denominator, Some(Decimal::from(1_300)));
    assert!(!rates.e_is_given);
    assert_rates(&rates, &example["rates_e_0.6"]);
    for (e, expected) in [("0.4", "rates_e_0.4"), ("1", "rates_e_1")] {
        let given = Eligibility::Given(e.parse().unwrap());
        let rates = Rates::of(dispositions.clone(), given);
        assert!(rates.e_is_given);
        assert_rates(&rates, &example[expected]);
    }
}

/// A cross-check that is printed elsewhere.
#[test]
fn a_small_example_comes_out_too() {
    let counts = serde_json::json!({"1.1": 100, "2.20": 20, "3.90": 100});
    let rates = Rates::of(counted(&counts), Eligibility::Given(Decimal::new(25, 2)));
    let value = |name| {
        let rate = rates.rates.iter().find(|rate| rate.name == name).unwrap();
        rate.value.unwrap().to_string()
    };
    let values = ["RR1", "RR3", "RR5", "CON2"].map(value);
    assert_eq!(values, ["0.4545", "0.6897", "0.8333", "0.6897"]);
}

#[test]
fn without_anything_to_divide_by_there_is_no_rate() {
    let nobody = Rates::of(Dispositions::default(), Eligibility::AmongKnown);
    assert_eq!(nobody.e.value, None);
    assert!(nobody.rates.iter().all(|rate| rate.value.is_none()));

    let unknown = counted(&serde_json::json!({"3.13": 5}));
    let rates = Rates::of(unknown, Eligibility::AmongKnown);
    for rate in &rates.rates {
        let is_of_all = matches!(rate.name, "RR1" | "RR2" | "REF1" | "CON1");
        assert_eq!(
            rate.value,
            is_of_all.then_some(Decimal::ZERO),
            "{}",
            rate.name
        );
    }
}

fn named(name: &str) -> Outcome {
    name.parse().unwrap()
}

fn task(state: TaskState, outcomes: &[Outcome]) -> CallTask {
    let campaign = samples::campaign(&samples::company());
    let task = samples::task(&campaign, "+393471234567").in_state(state);
    let strongest = outcomes.iter().copied().reduce(Outcome::or_stronger);
    CallTask {
        outcome: strongest,
        ..task
    }
}

fn code(state: TaskState, calls: &str) -> Option<&'static str> {
    let outcomes: Vec<Outcome> = calls.split_whitespace().map(named).collect();
    let task = task(state, &outcomes);
    let outcomes: Vec<_> = outcomes.into_iter().map(Some).collect();
    Some(Case::of_calls(&task, &outcomes).disposition?.code)
}

#[test]
fn a_case_is_closed_by_the_rules_of_the_fact_sheet() {
    for (calls, state, expected) in [
        ("", TaskState::NotReached, "3.11"),
        ("", TaskState::Cancelled, "3.11"),
        ("cancelled", TaskState::Cancelled, "3.11"),
        ("no_answer completed", TaskState::Completed, "1.1"),
        ("partial", TaskState::Completed, "1.2"),
        (
            "interrupted no_answer no_answer",
            TaskState::Completed,
            "1.2",
        ),
        ("interrupted refused", TaskState::Refused, "2.112"),
        ("opted_out", TaskState::Refused, "2.112"),
        ("broke_off", TaskState::Refused, "2.12"),
        (
            "hung_up_before_consent no_answer",
            TaskState::NotReached,
            "2.11",
        ),
        ("line_dropped busy", TaskState::NotReached, "2.36"),
        ("call_back_requested", TaskState::NotReached, "2.21"),
        (
            "call_back_requested no_answer busy",
            TaskState::NotReached,
            "2.113",
        ),
        (
            "call_back_requested call_back_requested",
            TaskState::NotReached,
            "2.21",
        ),
        (
            "hung_up_before_consent wrong_person",
            TaskState::Failed,
            "4.54",
        ),
        ("voicemail language_barrier", TaskState::Failed, "2.332"),
        ("no_answer fax", TaskState::Failed, "4.20"),
        ("invalid_number", TaskState::Failed, "4.31"),
        ("quota_full", TaskState::Cancelled, "4.80"),
        ("no_answer disconnected", TaskState::Failed, "3.13"),
        (
            "disconnected no_answer disconnected",
            TaskState::Failed,
            "4.32",
        ),
        ("disconnected", TaskState::Failed, "4.32"),
        (
            "busy no_answer voicemail busy",
            TaskState::NotReached,
            "3.14",
        ),
        ("provider_failure busy lost", TaskState::NotReached, "3.12"),
        ("provider_rejected", TaskState::Failed, "3.16"),
        ("declined no_answer", TaskState::NotReached, "3.13"),
        ("call_screening no_answer", TaskState::NotReached, "3.15"),
    ] {
        assert_eq!(code(state, calls), Some(expected), "{calls}");
    }
}

#[test]
fn who_was_excluded_before_the_first_call_is_no_part_of_the_sample() {
    assert_eq!(code(TaskState::Excluded, ""), None);
    assert_eq!(code(TaskState::Excluded, "no_answer"), Some("3.13"));
}

/// Else a target that is reached early would make the response rate as low as the list is long.
#[test]
fn who_was_left_when_there_were_enough_lowers_no_rate() {
    let ended_by = |reason: Reason, cells: &[u16], calls: &[Outcome]| {
        let task = CallTask {
            reason: Some(reason),
            cells: cells.iter().copied().collect(),
            ..task(TaskState::Cancelled, calls)
        };
        let calls: Vec<_> = calls.iter().copied().map(Some).collect();
        let case = Case::of_calls(&task, &calls);
        let code = case.disposition.map_or("-", |disposition| disposition.code);
        (code, case.left_out)
    };
    let not_released = ("-", Some(LeftOut::NotReleased));
    assert_eq!(ended_by(Reason::TargetReached, &[], &[]), not_released);
    assert_eq!(ended_by(Reason::TargetReached, &[1], &[]), not_released);
    assert_eq!(ended_by(Reason::QuotaFull, &[1], &[]), ("4.80", None));
    assert_eq!(ended_by(Reason::QuotaFull, &[], &[]), not_released);
    assert_eq!(ended_by(Reason::CampaignEnded, &[1], &[]), ("3.11", None));
    // What is known by calls holds, whatever came afterwards.
    for reason in [Reason::TargetReached, Reason::QuotaFull] {
        let called = ended_by(reason, &[1], &[Outcome::NoAnswer]);
        assert_eq!(called, ("3.13", None));
    }
    // An attempt that was given up undialed is no call.
    let undialed = ended_by(Reason::TargetReached, &[], &[Outcome::Cancelled]);
    assert_eq!(undialed, not_released);

    let mut dispositions = Dispositions::default();
    for _ in 0..3 {
        dispositions.add(Case {
            disposition: None,
            left_out: Some(LeftOut::NotReleased),
            is_open: false,
        });
    }
    let complete = task(TaskState::Completed, &[Outcome::Completed]);
    dispositions.add(Case::of_calls(&complete, &[Some(Outcome::Completed)]));
    assert_eq!((dispositions.not_released, dispositions.suppressed), (3, 0));
    let rates = Rates::of(dispositions, Eligibility::AmongKnown);
    assert_eq!(rates.rates[0].value, Some(Decimal::ONE));
}

/// Whoever the rates count as reached was spoken to, and in calls that may have rung.
#[test]
fn who_counts_as_reached_was_spoken_to() {
    for &outcome in Outcome::ALL {
        let code = outcome.rule().aapor_code;
        let group = code.and_then(Disposition::of_code).map(|found| found.group);
        let is_reached = matches!(
            group,
            Some(Group::Complete | Group::Partial | Group::Refusal | Group::Other)
        );
        // These are not eligible, or not available; but they were there, and said so.
        let said_so = matches!(code, Some("4.54" | "4.80" | "2.21"));
        assert_eq!(
            outcome.spoke_with_person(),
            is_reached || said_so,
            "{outcome}"
        );
        assert!(!outcome.spoke_with_person() || outcome.counts_as_contact());
    }
}

#[test]
fn an_open_case_counts_with_what_is_known_so_far() {
    let due_at = samples::now();
    let retry = TaskState::Retry { due_at };
    let case = Case::of_calls(&task(retry, &[Outcome::Busy]), &[Some(Outcome::Busy), None]);
    assert!(case.is_open);
    assert_eq!(case.disposition.unwrap().code, "3.12");
    let new = Case::of_calls(&task(TaskState::Pending { due_at }, &[]), &[]);
    assert_eq!(new.disposition.unwrap().code, "3.11");
    let mut counted = Dispositions::default();
    counted.add(case);
    counted.add(new);
    assert_eq!((counted.open, counted.total()), (2, 2));
}

/// Else a call would end in a disposition that is in no group.
#[test]
fn every_code_of_the_outcome_table_is_known_and_in_its_group() {
    for outcome in Outcome::ALL {
        if let Some(code) = outcome.rule().aapor_code {
            assert!(Disposition::of_code(code).is_some(), "{outcome}: {code}");
        }
    }
    for disposition in Disposition::ALL {
        let groups: &[Group] = match &disposition.code[..3] {
            "1.1" => &[Group::Complete],
            "1.2" => &[Group::Partial],
            "2.1" => &[Group::Refusal],
            "2.2" => &[Group::NonContact],
            "2.3" => &[Group::Other],
            "3.1" => &[Group::UnknownHousehold],
            "3.2" | "3.3" | "3.9" => &[Group::UnknownOther],
            code => {
                assert!(code.starts_with("4."), "{code}");
                &[Group::NotEligible]
            }
        };
        assert_eq!(groups, [disposition.group], "{}", disposition.code);
    }
}

proptest! {
    /// Every rate lies between 0 and 1, and those with more in the denominator are no larger.
    #[test]
    fn rates_are_ordered_as_their_denominators_are(
        counts in proptest::collection::vec(0_u64..1_000_000, Disposition::ALL.len()),
        e in 0_u32..=100,
    ) {
        let mut dispositions = Dispositions::default();
        for (disposition, count) in Disposition::ALL.iter().zip(counts) {
            dispositions.count(disposition, count);
        }
        let rates = Rates::of(dispositions, Eligibility::Given(Decimal::new(e.into(), 2)));
        let value = |name: &str| {
            let rate = rates.rates.iter().find(|rate| rate.name == name);
            rate.and_then(|rate| rate.value).unwrap_or_default()
        };
        for rate in &rates.rates {
            let value = rate.value.unwrap_or_default();
            prop_assert!(value >= Decimal::ZERO && value <= Decimal::ONE);
        }
        for (low, middle, high) in [
            ("RR1", "RR3", "RR5"),
            ("RR2", "RR4", "RR6"),
            ("REF1", "REF2", "REF3"),
            ("CON1", "CON2", "CON3"),
        ] {
            prop_assert!(value(low) <= value(middle) && value(middle) <= value(high));
        }
    }
}
