//! Filters of people, as they are asked of a campaign.

use std::collections::BTreeSet;

use super::error::ServiceError;
use crate::campaign::Campaign;
use crate::contact_record::ContactFilter;
use crate::quota::QuotaCell;

/// So many cells are told to somebody who has named none of them.
const TOLD_AT_MOST: usize = 50;

/// The filter with the names of cells as the campaign has them: like the names of its cells among
/// each other they are told apart whatever their case. One that there is not is an error of `cell`.
pub(super) fn checked(
    filter: ContactFilter,
    campaign: &Campaign,
) -> Result<ContactFilter, ServiceError> {
    let known = campaign.quota_cells();
    let found = filter.cells.iter().map(|name| {
        let folded = name.trim().to_lowercase();
        let mut cells = known.iter();
        let cell = cells.find(|cell| cell.name.trim().to_lowercase() == folded);
        let cell = cell.map(|cell| cell.name.clone());
        cell.ok_or_else(|| ServiceError::invalid("cell", unknown(name, known)))
    });
    let cells = found.collect::<Result<BTreeSet<String>, ServiceError>>()?;
    Ok(ContactFilter { cells, ..filter })
}

fn unknown(name: &str, known: &[QuotaCell]) -> String {
    if known.is_empty() {
        return "the campaign has no quotas, and so no cells".to_owned();
    }
    let told = known.iter().take(TOLD_AT_MOST);
    let told: Vec<String> = told.map(|cell| format!("'{}'", cell.name)).collect();
    let more = match known.len().saturating_sub(TOLD_AT_MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("there is no cell '{name}': use {}{more}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::samples;

    fn campaign(cells: &[String]) -> Campaign {
        let mut campaign = samples::campaign(&samples::company());
        let cells: Vec<_> = cells
            .iter()
            .map(|name| json!({"name": name, "target": 1, "where": {"columns": {"a": name}}}))
            .collect();
        let quotas = json!({"policy": "count_at_completion", "cells": cells});
        campaign.settings.quotas = serde_json::from_value(quotas).unwrap();
        campaign
    }

    fn cells(campaign: &Campaign, names: &[&str]) -> Result<Vec<String>, String> {
        let filter = ContactFilter {
            cells: names.iter().map(|name| (*name).to_owned()).collect(),
            ..ContactFilter::default()
        };
        let filter = checked(filter, campaign).map_err(|error| error.to_string())?;
        Ok(filter.cells.into_iter().collect())
    }

    #[test]
    fn cells_are_found_whatever_the_case_of_their_names() {
        let names = ["Forlì", "north, 18-34"].map(ToOwned::to_owned);
        let campaign = campaign(&names);
        assert_eq!(
            cells(&campaign, &["FORLÌ ", "forlì"]),
            Ok(vec!["Forlì".to_owned()])
        );
        assert_eq!(
            cells(&campaign, &["North, 18-34", "Forlì"]),
            Ok(names.to_vec())
        );
        assert_eq!(cells(&campaign, &[]), Ok(Vec::new()));
    }

    #[test]
    fn who_names_no_cell_is_told_which_there_are() {
        let told = "cell: there is no cell 'nord': use 'north', 'south'";
        let two = campaign(&["north", "south"].map(ToOwned::to_owned));
        assert_eq!(cells(&two, &["south", "nord"]), Err(told.to_owned()));
        let many: Vec<String> = (0..=TOLD_AT_MOST).map(|cell| cell.to_string()).collect();
        let told = cells(&campaign(&many), &["x"]).unwrap_err();
        assert!(told.ends_with("'49' and 1 more"), "{told}");
        let none = samples::campaign(&samples::company());
        let told = cells(&none, &["x"]).unwrap_err();
        assert_eq!(told, "cell: the campaign has no quotas, and so no cells");
    }
}
