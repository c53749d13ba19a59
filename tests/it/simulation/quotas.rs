//! The quotas of the campaigns, over a column of the lists and over an answer.

use std::collections::HashMap;

use serde_json::{Value, json};
use voicesurvey::phone_number::PhoneNumber;
use voicesurvey::quota::{QuotaPolicy, Quotas};
use voicesurvey::testing::samples;

use super::chance::Chance;
use super::world::PEOPLE;

/// What stands in the column that quotas go by, by number.
pub(super) fn groups() -> HashMap<PhoneNumber, &'static str> {
    let group = |index| (samples::phone_number(index), group_of(index));
    (0..PEOPLE).map(group).collect()
}

/// What stands in the column that quotas go by, of everybody.
pub(super) fn group_of(index: u32) -> &'static str {
    ["a", "b", "c"][index as usize % 3]
}

/// Some campaigns want only so many interviews of some people. Cells overlap, and not everybody is in
/// one.
pub(super) fn quotas(chance: &mut Chance) -> Option<Quotas> {
    let policy = chance.pick(&QuotaPolicy::ALL);
    let kind = chance.below(10);
    let targets = [0; 3].map(|_| chance.between(1, 3));
    let group = |groups: &[&str]| json!({"columns": {"Group": groups}});
    let cell = |target, conditions: Value| json!({"target": target, "where": conditions});
    let mut cells = match kind {
        0 => vec![
            cell(targets[0], group(&["a"])),
            cell(targets[1], group(&["B"])),
        ],
        1 => vec![
            cell(targets[0], group(&["a", "b"])),
            cell(targets[1], group(&["b", "c"])),
            cell(targets[2], group(&["c"])),
        ],
        2 => vec![
            cell(targets[0], group(&["a", "b"])),
            cell(targets[1], json!({"answers": {"satisfied": true}})),
        ],
        3 => vec![cell(
            targets[0],
            json!({"answers": {"satisfied": [true, false]}}),
        )],
        _ => return None,
    };
    for (index, cell) in cells.iter_mut().enumerate() {
        cell["name"] = index.to_string().into();
    }
    let quotas = json!({"policy": policy, "cells": cells});
    Some(serde_json::from_value(quotas).unwrap())
}
