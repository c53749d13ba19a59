//! How far the campaign has come: a bar where somebody watches, a line now and then elsewhere.

use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::campaign::{Campaign, CampaignStatus};
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::time::Timestamp;

use super::content::time_zone;
use super::screen::{Screen, wall_clock};

/// Where no bar can be drawn, a line is written each time so many more people are done with.
const PEOPLE_PER_LINE: u64 = 10;

/// The states of people who wait or are being called.
const OPEN: [TaskStatus; 3] = [
    TaskStatus::Pending,
    TaskStatus::InProgress,
    TaskStatus::Retry,
];

/// The states of people who are done with.
const CLOSED: [TaskStatus; 6] = [
    TaskStatus::Completed,
    TaskStatus::Refused,
    TaskStatus::NotReached,
    TaskStatus::Failed,
    TaskStatus::Excluded,
    TaskStatus::Cancelled,
];

const FRAMES_PER_SECOND: u8 = 15;
const BAR: &str = "  {bar:50.cyan/dim} {pos} of {len} people done\n{msg}";

/// The progress of one campaign on the screen.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    screen: &'a Screen,
    bar: Option<ProgressBar>,
    /// At how many the last line was written.
    written_at: Option<u64>,
}

impl<'a> Progress<'a> {
    /// Begins to show.
    pub(super) fn new(screen: &'a Screen) -> Self {
        let bar = screen.is_terminal().then(|| {
            let target = ProgressDrawTarget::stdout_with_hz(FRAMES_PER_SECOND);
            let bar = ProgressBar::with_draw_target(Some(0), target);
            // OK because the template is a constant that a test reads.
            bar.set_style(style().unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self {
            screen,
            bar,
            written_at: None,
        }
    }

    /// Shows where the campaign stands.
    pub(super) fn show(
        &mut self,
        campaign: &Campaign,
        counters: &CampaignCounters,
        now: Timestamp,
    ) -> io::Result<()> {
        let total = counters.total_tasks();
        let ended = total - counters.open_tasks();
        let clock = wall_clock(time_zone(), now);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(ended);
            bar.set_message(self.message(&clock, campaign, counters));
            return Ok(());
        }
        let is_new = self
            .written_at
            .is_none_or(|at| ended >= at + PEOPLE_PER_LINE)
            || (ended == total && self.written_at != Some(ended));
        if is_new {
            self.written_at = Some(ended);
            self.screen.line(format_args!(
                "{clock:>21}  {ended:>3} of {total} people done: {}",
                counts(&TaskStatus::ALL, counters, |_, count| count > 0)
            ))?;
        }
        Ok(())
    }

    fn message(&self, clock: &str, campaign: &Campaign, counters: &CampaignCounters) -> String {
        let calls = counters.total_attempts();
        let open = counts(&OPEN, counters, |_, _| true);
        // Nobody is cancelled unless somebody cancels the campaign.
        let closed = counts(&CLOSED, counters, |status, count| {
            status != TaskStatus::Cancelled || count > 0
        });
        let state = match campaign.status {
            CampaignStatus::Running | CampaignStatus::Completed => String::new(),
            status => format!("  ({status})"),
        };
        format!(
            "  {}   {calls} calls{state}\n  {open}\n  {closed}",
            self.screen.bold(&format!("{clock} in Rome")),
        )
    }

    /// Leaves what was shown last where it is, and goes to the line below.
    pub(super) fn finish(&self) -> io::Result<()> {
        let Some(bar) = &self.bar else {
            return Ok(());
        };
        bar.abandon();
        self.screen.line("")
    }
}

impl Drop for Progress<'_> {
    /// A run that is stopped leaves the bar as it is: the terminal's `^C` may stand in it, so it
    /// cannot be drawn over.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }
}

fn style() -> Result<ProgressStyle, indicatif::style::TemplateError> {
    Ok(ProgressStyle::with_template(BAR)?.progress_chars("━╸━"))
}

/// How many people are in each of the states, as far as they are to be shown.
fn counts(
    statuses: &[TaskStatus],
    counters: &CampaignCounters,
    is_shown: impl Fn(TaskStatus, u64) -> bool,
) -> String {
    let counts = statuses
        .iter()
        .map(|status| (*status, counters.tasks_in(*status)));
    counts
        .filter(|(status, count)| is_shown(*status, *count))
        .map(|(status, count)| format!("{} {count}", status.name().replace('_', " ")))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_can_be_drawn() {
        style().unwrap();
    }

    #[test]
    fn every_state_has_its_count_and_its_place() {
        let counters = CampaignCounters {
            tasks: TaskStatus::ALL.into_iter().zip(0..).collect(),
            ..CampaignCounters::default()
        };
        let all = |_, _| true;
        assert_eq!(
            counts(&OPEN, &counters, all),
            "pending 0, in progress 1, retry 2"
        );
        assert_eq!(
            counts(&CLOSED, &counters, all),
            "completed 3, refused 4, not reached 5, failed 6, excluded 7, cancelled 8"
        );
        assert_eq!([OPEN.as_slice(), &CLOSED].concat(), TaskStatus::ALL);
        assert_eq!(
            counts(&OPEN, &counters, |_, count| count > 0),
            "in progress 1, retry 2"
        );
    }
}
