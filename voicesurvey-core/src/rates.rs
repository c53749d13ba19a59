//! Outcome rates as the AAPOR defines them (Standard Definitions, 10th edition): response,
//! cooperation, refusal and contact rates, each with its formula, numerator and denominator.
//!
//! Nothing is weighted. A rate without anything to divide by has no value; it is not zero.

pub mod disposition;
pub mod thresholds;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::results::numbers::rounded;

pub use disposition::{Case, Disposition, Group, Interview, LeftOut};
pub use thresholds::{Thresholds, ThresholdsError};

/// How many cases there are of each disposition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dispositions {
    /// Cases by the code of their disposition; none of zero.
    pub by_code: BTreeMap<&'static str, u64>,
    /// People on the exclusion list who were never called: no part of the sample.
    pub suppressed: u64,
    /// People who were left when enough had answered, and were never called: no part of the sample.
    pub not_released: u64,
    /// Cases that are not closed yet, each of which counts with what is known so far.
    pub open: u64,
}

impl Dispositions {
    /// Counts one more case.
    pub fn add(&mut self, case: Case) {
        if let Some(disposition) = case.disposition {
            self.count(disposition, 1);
        }
        match case.left_out {
            Some(LeftOut::Suppressed) => self.suppressed += 1,
            Some(LeftOut::NotReleased) => self.not_released += 1,
            None => {}
        }
        self.open += u64::from(case.is_open);
    }

    /// Counts that many cases.
    pub fn count(&mut self, disposition: &Disposition, cases: u64) {
        *self.by_code.entry(disposition.code).or_default() += cases;
    }

    /// Cases of that group.
    pub fn of(&self, group: Group) -> u64 {
        let counted = self.by_code.iter();
        counted
            .filter(|(code, _)| Disposition::of_code(code).is_some_and(|of| of.group == group))
            .map(|(_, count)| count)
            .sum()
    }

    /// Cases of all groups.
    pub fn total(&self) -> u64 {
        self.by_code.values().sum()
    }
}

/// Which share of those of whom it is not known is taken to be eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eligibility {
    /// As large as among those of whom it is known: `K / (K + NE)`.
    AmongKnown,
    /// Told by who asks, from 0 to 1.
    Given(Decimal),
}

/// A number that was divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// `RR1`, `COOP1`, `e` …
    pub name: &'static str,
    /// What is divided by what.
    pub formula: &'static str,
    /// The numerator.
    pub numerator: Decimal,
    /// The denominator; absent when it is made of an `e` that has no value.
    pub denominator: Option<Decimal>,
    /// The quotient to four decimals; absent without anything to divide by.
    pub value: Option<Decimal>,
}

impl Rate {
    fn new(
        name: &'static str,
        formula: &'static str,
        numerator: u64,
        denominator: Option<Decimal>,
    ) -> Self {
        let numerator = Decimal::from(numerator);
        let exact = denominator.and_then(|denominator| numerator.checked_div(denominator));
        Self {
            name,
            formula,
            numerator,
            denominator: denominator.map(|denominator| denominator.normalize()),
            value: exact.map(|exact| rounded(exact, 4)),
        }
    }
}

/// The rates of a campaign, with what they are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// What is counted.
    pub dispositions: Dispositions,
    /// Whether `e` was given.
    pub e_is_given: bool,
    /// The share of those of whom it is not known that is taken to be eligible.
    pub e: Rate,
    /// RR1 to RR6, COOP1 to COOP4, REF1 to REF3, CON1 to CON3.
    pub rates: Vec<Rate>,
}

impl Rates {
    /// The rates of those cases.
    pub fn of(dispositions: Dispositions, eligibility: Eligibility) -> Self {
        let groups = Groups::of(&dispositions);
        let (e, exact) = groups.e(eligibility);
        Self {
            e_is_given: eligibility != Eligibility::AmongKnown,
            rates: groups.rates(exact),
            e,
            dispositions,
        }
    }
}

/// The sizes of the groups, by their symbols.
struct Groups {
    i: u64,
    p: u64,
    r: u64,
    nc: u64,
    o: u64,
    u: u64,
    ne: u64,
}

impl Groups {
    fn of(dispositions: &Dispositions) -> Self {
        let of = |group| dispositions.of(group);
        Self {
            i: of(Group::Complete),
            p: of(Group::Partial),
            r: of(Group::Refusal),
            nc: of(Group::NonContact),
            o: of(Group::Other),
            u: of(Group::UnknownHousehold) + of(Group::UnknownOther),
            ne: of(Group::NotEligible),
        }
    }

    /// Those who are known to be eligible.
    const fn k(&self) -> u64 {
        self.i + self.p + self.r + self.nc + self.o
    }

    /// `e` as it is shown, and as it is reckoned with.
    fn e(&self, eligibility: Eligibility) -> (Rate, Option<Decimal>) {
        if let Eligibility::Given(e) = eligibility {
            let shown = Rate {
                name: "e",
                formula: "given",
                numerator: e,
                denominator: Some(Decimal::ONE),
                value: Some(e),
            };
            return (shown, Some(e));
        }
        let known = Decimal::from(self.k() + self.ne);
        let shown = Rate::new("e", "K / (K + NE)", self.k(), Some(known));
        (shown, Decimal::from(self.k()).checked_div(known))
    }

    fn rates(&self, e: Option<Decimal>) -> Vec<Rate> {
        let Self { i, p, r, o, .. } = *self;
        let k = Decimal::from(self.k());
        let all = Some(k + Decimal::from(self.u));
        // With nobody unknown it does not matter that nothing is known of their share.
        let e = if self.u == 0 { Some(Decimal::ZERO) } else { e };
        let eligible = e.map(|e| k + e * Decimal::from(self.u));
        let known = Some(k);
        let reached = Some(Decimal::from(i + p + r + o));
        let able = Some(Decimal::from(i + p + r));
        vec![
            Rate::new("RR1", "I / (K + U)", i, all),
            Rate::new("RR2", "(I + P) / (K + U)", i + p, all),
            Rate::new("RR3", "I / (K + e U)", i, eligible),
            Rate::new("RR4", "(I + P) / (K + e U)", i + p, eligible),
            Rate::new("RR5", "I / K", i, known),
            Rate::new("RR6", "(I + P) / K", i + p, known),
            Rate::new("COOP1", "I / (I + P + R + O)", i, reached),
            Rate::new("COOP2", "(I + P) / (I + P + R + O)", i + p, reached),
            Rate::new("COOP3", "I / (I + P + R)", i, able),
            Rate::new("COOP4", "(I + P) / (I + P + R)", i + p, able),
            Rate::new("REF1", "R / (K + U)", r, all),
            Rate::new("REF2", "R / (K + e U)", r, eligible),
            Rate::new("REF3", "R / K", r, known),
            Rate::new("CON1", "(I + P + R + O) / (K + U)", i + p + r + o, all),
            Rate::new(
                "CON2",
                "(I + P + R + O) / (K + e U)",
                i + p + r + o,
                eligible,
            ),
            Rate::new("CON3", "(I + P + R + O) / K", i + p + r + o, known),
        ]
    }
}

#[cfg(test)]
mod tests;
