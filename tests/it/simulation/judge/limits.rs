//! I5 and I6: lines and pace of campaigns, companies and provider accounts, whose limits change
//! while calls are made.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use voicesurvey::call_attempt::CallAttempt;
use voicesurvey::campaign::Pacing;
use voicesurvey::company::CompanyLimits;
use voicesurvey::id::{CampaignId, CompanyId};
use voicesurvey::pace::Pace;
use voicesurvey::time::Timestamp;

use super::Judge;

/// Every value that a limit has had, and since when.
#[derive(Debug)]
struct History<T>(Vec<(Timestamp, T)>);

impl<T: Copy + PartialEq> History<T> {
    fn note(&mut self, value: T, now: Timestamp) {
        if self.0.last().is_none_or(|(_, last)| *last != value) {
            self.0.push((now, value));
        }
    }

    fn present(&self) -> T {
        self.0.last().unwrap().1
    }

    /// Every value that held at some instant since then; also one that was changed just then.
    fn since(&self, then: Timestamp) -> impl Iterator<Item = T> {
        let first = self.0.iter().rposition(|(since, _)| *since < then);
        self.0[first.unwrap_or(0)..].iter().map(|(_, value)| *value)
    }
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// The limits of everything that has one.
#[derive(Debug, Default)]
pub(super) struct Limits {
    campaigns: BTreeMap<CampaignId, History<Pacing>>,
    companies: BTreeMap<CompanyId, History<Pacing>>,
    /// By the name of the provider; `None` while it was not limited.
    accounts: BTreeMap<String, History<Option<Pacing>>>,
}

impl Limits {
    pub(super) fn of_campaign(&mut self, id: CampaignId, pacing: Pacing, now: Timestamp) {
        self.campaigns.entry(id).or_default().note(pacing, now);
    }

    pub(super) fn of_company(&mut self, id: CompanyId, limits: CompanyLimits, now: Timestamp) {
        let pacing = Pacing {
            max_concurrent_calls: limits.max_concurrent_calls,
            pace: Pace::per_minute(limits.calls_per_minute),
        };
        self.companies.entry(id).or_default().note(pacing, now);
    }
}

impl Judge {
    /// The account is limited so from now on.
    pub(in crate::simulation) fn account_is_limited(
        &mut self,
        provider: &str,
        limits: Option<Pacing>,
        now: Timestamp,
    ) {
        let accounts = &mut self.limits.accounts;
        let known = accounts.entry(provider.to_owned()).or_insert_with(|| {
            let unlimited = (Timestamp::MIN_UTC, None);
            History(vec![unlimited])
        });
        known.note(limits, now);
    }

    /// For a call that was claimed just now.
    pub(super) fn limits_hold(&self, claimed: &CallAttempt) -> Result<(), String> {
        let minute_ago = claimed.created_at - TimeDelta::seconds(60);
        let campaign = |attempt: &CallAttempt| attempt.campaign_id == claimed.campaign_id;
        let limits = &self.limits.campaigns[&claimed.campaign_id];
        let during = limits.since(minute_ago).collect::<Vec<_>>();
        self.holds("campaign", claimed, limits.present(), &during, &campaign)?;
        self.keeps_distance(claimed)?;
        let company = |attempt: &CallAttempt| attempt.company_id == claimed.company_id;
        let limits = &self.limits.companies[&claimed.company_id];
        let during = limits.since(minute_ago).collect::<Vec<_>>();
        self.holds("company", claimed, limits.present(), &during, &company)?;
        let account = |attempt: &CallAttempt| attempt.provider == claimed.provider;
        let Some(limits) = self.limits.accounts.get(&claimed.provider) else {
            return Ok(());
        };
        let during: Option<Vec<_>> = limits.since(minute_ago).collect();
        let Some(present) = limits.present() else {
            return Ok(());
        };
        // Who was not limited a moment ago may have begun any number of calls.
        let during = during.unwrap_or_default();
        self.holds("account", claimed, present, &during, &account)
    }

    /// `during` are the limits that held in the last minute; none if it was not limited.
    fn holds(
        &self,
        what: &str,
        claimed: &CallAttempt,
        present: Pacing,
        during: &[Pacing],
        counts: &dyn Fn(&CallAttempt) -> bool,
    ) -> Result<(), String> {
        let (lines, most) = (self.live_where(counts), present.max_concurrent_calls);
        if lines > most {
            return Err(format!("I5: {lines} calls of a {what}, and {most} may be"));
        }
        let at = claimed.created_at;
        let minute_ago = at - TimeDelta::seconds(60);
        let starts = self.attempts.values().filter(|attempt| {
            attempt.created_at > minute_ago && attempt.created_at <= at && counts(attempt)
        });
        let starts = u32::try_from(starts.count()).unwrap();
        // The most that was allowed at any instant of this minute.
        let allowed = during.iter().map(|limits| limits.pace.calls_per_minute);
        match allowed.max() {
            Some(most) if starts > most => Err(format!(
                "I6: {starts} starts of a {what} in 60 s, and {most} may be"
            )),
            _ => Ok(()),
        }
    }

    /// The delay between two calls of a campaign.
    fn keeps_distance(&self, claimed: &CallAttempt) -> Result<(), String> {
        let earlier = self.attempts.values().filter(|earlier| {
            earlier.campaign_id == claimed.campaign_id && earlier.id != claimed.id
        });
        let Some(last) = earlier.map(|earlier| earlier.created_at).max() else {
            return Ok(());
        };
        let limits = self.limits.campaigns[&claimed.campaign_id].since(last);
        let shortest = limits.map(|limits| limits.pace.seconds_between_calls).min();
        let distance = (claimed.created_at - last).num_seconds();
        if distance < i64::from(shortest.unwrap_or_default()) {
            return Err(format!(
                "I6: {distance} s between two calls, not {shortest:?}"
            ));
        }
        Ok(())
    }

    /// The most lines that a company was ever allowed.
    pub(in crate::simulation) fn most_lines(&self, company_id: CompanyId) -> u32 {
        let limits = self.limits.companies[&company_id].since(Timestamp::MIN_UTC);
        let lines = limits.map(|limits| limits.max_concurrent_calls);
        lines.max().unwrap()
    }

    /// The most lines that an account was ever allowed; `None` if it was not limited once.
    pub(in crate::simulation) fn most_lines_of_account(&self, provider: &str) -> Option<u32> {
        let limits = self.limits.accounts.get(provider)?;
        let limits: Option<Vec<Pacing>> = limits.since(Timestamp::MIN_UTC).collect();
        let lines = limits?
            .into_iter()
            .map(|limits| limits.max_concurrent_calls);
        lines.max()
    }
}
