//! "Call me later": when, and what is promised.

use chrono::{Datelike, TimeDelta, Timelike};

use super::super::Position;
use super::Heard;
use super::caps::APPOINTMENT_MISSES;
use super::taker::StepTaker;
use crate::interpretation::{Intent, Interpretation, time_mention};
use crate::outcome::Outcome;
use crate::survey::AnswerValue::YesNo;
use crate::time::Timestamp;

/// Who has answered something and names no time is called again after so long: sooner than a call
/// that nobody answered, and not at once, as after a line that dropped.
const WITHOUT_A_TIME: TimeDelta = TimeDelta::hours(2);

impl StepTaker<'_> {
    /// The person wants to be called later: at the time that they have named, else they are asked.
    /// Who has answered everything is not called again, and who cannot be is promised nothing.
    pub(super) fn call_later(&mut self, heard: &Heard) {
        if self.conversation.is_all_answered() {
            self.end(&self.script.completion(), Outcome::Completed);
            return;
        }
        let position = self.conversation.position;
        self.conversation.position = Position::Appointment {
            tries: 0,
            consented: position.is_past_consent(),
            answered: position.answered(),
        };
        let memory = &mut self.conversation.memory;
        memory.pending = None;
        memory.asides = 0;
        if self.conversation.has_answers() {
            self.conversation.memory.appointment = Some(self.now + WITHOUT_A_TIME);
        }
        match self.named_time(heard) {
            _ if self.conversation.memory.is_last_call => self.leave(),
            Some(at) => self.agree_on(at),
            None => self.go_on(self.at_hand(), 0),
        }
    }

    pub(super) fn hear_time(&mut self, tries: u8, heard: &Heard, meant: &Interpretation) {
        if let Some(at) = self.named_time(heard) {
            self.agree_on(at);
            return;
        }
        match &meant.intent {
            Intent::Stop
            | Intent::Answer {
                value: YesNo(false),
            } => self.refuse_another_call(meant),
            Intent::Skip => self.end_for_later(),
            intent if self.take_aside(intent) => {}
            _ if tries < APPOINTMENT_MISSES => self.ask_when_again(tries),
            _ => self.end_for_later(),
        }
    }

    /// "I am not interested": whoever had asked for another call does not want it any more. A no is
    /// final, wherever it is said (I8).
    fn refuse_another_call(&mut self, meant: &Interpretation) {
        if self.conversation.position.is_past_consent() {
            let outcome = self.conversation.left();
            let goodbye = self.script.closing(&self.script.lines().goodbye);
            self.end(&goodbye, outcome);
        } else {
            self.refuse(meant);
        }
    }

    fn ask_when_again(&mut self, tries: u8) {
        let lines = self.script.lines();
        if let Position::Appointment {
            consented,
            answered,
            ..
        } = self.conversation.position
        {
            self.conversation.position = Position::Appointment {
                tries: tries + 1,
                consented,
                answered,
            };
        }
        let lead = if self.conversation.memory.silences > 0 {
            &lines.not_heard
        } else {
            &lines.not_understood
        };
        self.go_on(vec![lead.clone(), lines.ask_when.clone()], 0);
    }

    /// When the person can be called, if they have named a time and the calling hours allow one.
    pub(super) fn named_time(&self, heard: &Heard) -> Option<Timestamp> {
        let Heard::Speech { words, .. } = heard else {
            return None;
        };
        let mention = time_mention::find(self.conversation.language, words)?;
        mention.resolve(self.now, self.script.schedule(), self.script.contact())
    }

    /// Says when the person will be called: the time that the calling hours allow, not the one named.
    fn agree_on(&mut self, at: Timestamp) {
        self.conversation.memory.appointment = Some(at);
        let line = &self.script.lines().appointment;
        let goodbye = line.replace("{when}", &self.spoken_time(at));
        let outcome = self.conversation.broken_off();
        self.end(&goodbye, outcome);
    }

    fn end_for_later(&mut self) {
        let outcome = self.conversation.broken_off();
        self.end(&self.script.lines().goodbye_later, outcome);
    }

    /// "Tomorrow at 10 AM", on the person's clock.
    fn spoken_time(&self, at: Timestamp) -> String {
        let lines = self.script.lines();
        let schedule = self.script.schedule();
        let zones = schedule.zones_of(self.script.contact());
        let zone = if zones.contains(&schedule.time_zone) {
            schedule.time_zone
        } else {
            zones.first().copied().unwrap_or(schedule.time_zone)
        };
        let [today, local] = [self.now, at].map(|at| zone.local(at));
        let month = usize::try_from(local.month0())
            .ok()
            .and_then(|month| lines.months.get(month));
        let day = match (local.date() - today.date()).num_days() {
            0 => lines.today.clone(),
            1 => lines.tomorrow.clone(),
            _ => lines
                .on_day
                .replace("{day}", &local.day().to_string())
                .replace("{month}", month.map_or("", String::as_str)),
        };
        let (line, format) = match local.minute() {
            0 => (&lines.at_hour, &lines.hour_format),
            _ => (&lines.at_time, &lines.time_format),
        };
        let time = local.format(format).to_string();
        format!("{day} {}", line.replace("{time}", &time))
    }
}
