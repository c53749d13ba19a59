use rust_decimal::Decimal;
use serde_json::json;

use super::*;
use crate::call_task::TaskStatus;
use crate::ports::repositories::CampaignCounters;
use crate::testing::samples;

fn quotas(policy: QuotaPolicy) -> Quotas {
    serde_json::from_value(json!({"policy": policy, "cells": [
        {"name": "north", "target": 2, "where": {"columns": {"Region": ["north", "north-east"]}}},
        {"name": "young", "target": 1, "where": {"answers": {"age": {"from": 18, "to": 34}}}},
        {"name": "young, north", "target": 1, "where": {
            "columns": {"region": "NORTH"}, "answers": {"age": {"to": 34}}
        }},
        {"name": "large", "target": 3, "where": {"columns": {"size": {"from": "2.5"}}}},
        {"name": "italian", "target": 1, "where": {"columns": {"language": "it"}}},
    ]}))
    .unwrap()
}

fn contact(columns: &[(&str, &str)]) -> Contact {
    let campaign = samples::campaign(&samples::company());
    let mut contact = samples::task(&campaign, "+393471234567").contact;
    contact.language = None;
    contact.extra = columns
        .iter()
        .map(|&(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    contact
}

fn cells(contact: &Contact, age: Option<i64>) -> String {
    let age = age.map(|age| AnswerValue::Number(Decimal::from(age)));
    let quotas = quotas(QuotaPolicy::CountAtCompletion);
    let answer = |key: &str| age.as_ref().filter(|_| key == "age");
    quotas.cells_of(contact, answer).to_string()
}

#[test]
fn a_person_is_in_every_cell_whose_conditions_all_hold() {
    let north = contact(&[("REGION ", " North "), ("size", "2,50")]);
    assert_eq!(cells(&north, None), "0,3");
    assert_eq!(cells(&north, Some(34)), "0,1,2,3");
    assert_eq!(cells(&north, Some(35)), "0,3");
    let south = contact(&[("region", "south"), ("size", "2.4")]);
    assert_eq!(cells(&south, Some(18)), "1");
    assert_eq!(cells(&contact(&[]), None), "");
}

/// Else a correction after the end would leave a campaign with fewer interviews than were held.
#[test]
fn what_was_forgotten_takes_nobody_out_of_a_cell() {
    let quotas: Quotas = serde_json::from_value(json!({"policy": "count_at_completion", "cells": [
        {"name": "north", "target": 2, "where": {"columns": {"region": "north"}}},
        {"name": "young", "target": 1, "where": {"answers": {"age": {"to": 34}}}},
        {"name": "young, north", "target": 1, "where": {
            "columns": {"region": "north"}, "answers": {"age": {"to": 34}}
        }},
        {"name": "young women", "target": 1, "where": {
            "answers": {"age": {"to": 34}, "sex": "f"}
        }},
    ]}))
    .unwrap();
    let north = contact(&[("region", "north")]);
    let mut forgotten = contact(&[]);
    forgotten.phone_number = crate::phone_number::PhoneNumber::of_nobody(7);
    let after = |contact: &Contact, age: i64, sex: Option<&str>, before: &str| {
        let age = AnswerValue::Number(Decimal::from(age));
        let sex = sex.map(|sex| AnswerValue::Choice(sex.to_owned()));
        let answer = |key: &str| match key {
            "age" => Some(&age),
            _ => sex.as_ref(),
        };
        let before = before.parse().unwrap();
        let cells = quotas.cells_after("age", contact, answer, &before);
        cells.to_string()
    };
    assert_eq!(after(&north, 20, Some("f"), "0"), "0,1,2,3");
    assert_eq!(after(&north, 20, None, "0"), "0,1,2");
    assert_eq!(after(&north, 40, Some("f"), "0,1,2,3"), "0");
    // The region is not known any more, then not the sex either.
    assert_eq!(after(&forgotten, 21, Some("f"), "0,1,2,3"), "0,1,2,3");
    assert_eq!(after(&forgotten, 40, Some("f"), "0,1,2,3"), "0,2");
    assert_eq!(after(&forgotten, 21, None, "0,1,2,3"), "0,1,2,3");
}

#[test]
fn the_language_of_a_contact_is_a_column_unless_the_list_has_one() {
    let mut italian = contact(&[]);
    italian.language = Some(crate::language::Language::It);
    assert_eq!(cells(&italian, None), "4");
    italian.extra.insert("Language".to_owned(), "fr".to_owned());
    assert_eq!(cells(&italian, None), "");
}

#[test]
fn quotas_read_back_as_they_were_written() {
    let quotas = quotas(QuotaPolicy::ReserveAtDial);
    let text = serde_json::to_string(&quotas).unwrap();
    assert_eq!(serde_json::from_str::<Quotas>(&text).unwrap(), quotas);
    for wrong in [
        json!([]),
        json!({}),
        json!({"from": "x"}),
        json!({"above": 1}),
        json!(null),
    ] {
        let read: Result<Wanted, _> = serde_json::from_value(wrong);
        assert!(read.unwrap_err().to_string().starts_with("use a text"));
    }
}

#[test]
fn cells_read_back_as_stores_keep_them() {
    let cells: Cells = [3, 0, 3, 11].into_iter().collect();
    assert_eq!(cells.to_string(), "0,3,11");
    assert_eq!("0,3,11".parse(), Ok(cells));
    assert_eq!("".parse(), Ok(Cells::default()));
}

fn counters(counts: &[(u16, TaskStatus, u64)]) -> CampaignCounters {
    let mut counters = CampaignCounters::default();
    for &(cell, status, tasks) in counts {
        counters
            .cells
            .entry(cell)
            .or_default()
            .insert(status, tasks);
    }
    counters
}

#[test]
fn only_completed_interviews_fill_a_cell_that_counts_them() {
    let counters = counters(&[
        (0, TaskStatus::Completed, 1),
        (0, TaskStatus::InProgress, 5),
        (1, TaskStatus::Completed, 1),
    ]);
    let places = Places::of(&quotas(QuotaPolicy::CountAtCompletion), &counters);
    assert_eq!(
        [0, 1, 2].map(|cell| places.room_in(cell)),
        [Room::Open, Room::Full, Room::Open]
    );
    assert_eq!(places.room(&[0, 1].into_iter().collect()), Room::Full);
    assert_eq!(places.room(&Cells::default()), Room::Open);
}

#[test]
fn calls_in_progress_hold_the_places_of_a_cell_that_reserves_them() {
    let counters = counters(&[
        (0, TaskStatus::Completed, 1),
        (3, TaskStatus::InProgress, 2),
    ]);
    let mut places = Places::of(&quotas(QuotaPolicy::ReserveAtDial), &counters);
    let both: Cells = [0, 3].into_iter().collect();
    assert_eq!(places.room(&both), Room::Open);
    places.take(&both);
    assert_eq!(places.room(&both), Room::Held);
    assert_eq!(places.without_room(&both), both);
    places.give_back(&both);
    assert_eq!(places.room(&both), Room::Open);
}

#[test]
fn a_campaign_is_done_when_every_cell_is_full() {
    let policy = QuotaPolicy::ReserveAtDial;
    let mut full: Vec<_> = [2, 1, 1, 3]
        .into_iter()
        .zip(0u16..)
        .map(|(tasks, cell)| (cell, TaskStatus::Completed, tasks))
        .collect();
    assert!(!Places::of(&quotas(policy), &counters(&full)).are_all_full());
    full.push((4, TaskStatus::Completed, 2));
    assert!(Places::of(&quotas(policy), &counters(&full)).are_all_full());
}
