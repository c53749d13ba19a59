//! Totals equal the stats: of a campaign in which everything happens that can happen, every figure of
//! the screens is reckoned again from the files.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use voicesurvey_core::money::Cost;
use voicesurvey_core::ports::repositories::CallAttemptFilter;
use voicesurvey_core::ports::{PageRequest, Scope, Storage as _, UnitOfWork};
use voicesurvey_core::time::{Clock as _, Timestamp};
use voicesurvey_core::time_zone::TimeZone;
use voicesurvey_simulator::{
    ConsentBehaviour, LineBehaviour, PickUpByHour, Population, Probability, QuestionBehaviour,
    SimulationSettings,
};

use super::{Row, counted, file, list, rows, told};
use crate::support::{Answer, Caller, TestApp};

/// Outcomes of calls in which a person was spoken to.
const SPOKEN_TO: [&str; 12] = [
    "completed",
    "partial",
    "interrupted",
    "refused",
    "opted_out",
    "broke_off",
    "hung_up_before_consent",
    "line_dropped",
    "call_back_requested",
    "wrong_person",
    "language_barrier",
    "quota_full",
];

/// Outcomes of calls that never rang.
const NEVER_RANG: [&str; 3] = ["cancelled", "provider_rejected", "provider_failure"];

/// Most pick up, and then do whatever people do.
pub(super) fn all_sorts_of_people() -> SimulationSettings {
    let percent = Probability::percent;
    SimulationSettings {
        seed: 11,
        population: Population {
            lines: LineBehaviour {
                busy: percent(10),
                picks_up: PickUpByHour::always(percent(75)),
                ..LineBehaviour::default()
            },
            consent: ConsentBehaviour {
                consents: percent(88),
                ..ConsentBehaviour::default()
            },
            questions: QuestionBehaviour {
                breaks_off: percent(8),
                opts_out: percent(5),
                skips: percent(6),
                does_not_know: percent(6),
                ..QuestionBehaviour::default()
            },
            ..Population::default()
        },
        ..SimulationSettings::default()
    }
}

/// Asks for the age first, and wants only a few who are not over sixty.
async fn create(manager: &Caller) -> String {
    let body = json!({
        "name": "Everything happens",
        "intro_script": "Buongiorno, posso farle qualche domanda?",
        "questions": [
            { "key": "age", "text": "Quanti anni ha?", "type": "numeric", "min": 18, "max": 98 },
            { "key": "recommend", "text": "Da 0 a 10, ci consiglierebbe?", "type": "scale",
                "min": 0, "max": 10 },
            { "key": "again", "text": "Tornerebbe?", "type": "yes_no" },
            { "key": "why", "text": "Perché?", "type": "free_text" },
        ],
        "completion_message": "Grazie.",
        "max_attempts": 2,
        "retry_interval_minutes": 30,
        "quotas": { "cells": [
            { "name": "young", "target": 4, "where": { "answers": { "age": { "to": 60 } } } },
            { "name": "Forlì", "target": 500, "where": { "columns": { "città": "forlì" } } },
        ]},
    });
    let answer = manager.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 201, "{answer}");
    answer.header("location").unwrap().to_owned()
}

/// What the screens say of a campaign, and what the files hold.
struct Told {
    stats: Answer,
    results: Answer,
    rates: Answer,
    people: Vec<Row>,
    attempts: Vec<Row>,
    dispositions: Vec<Row>,
    answers: Vec<Row>,
    turns: Vec<Row>,
}

impl Told {
    async fn of(manager: &Caller, campaign: &str) -> Self {
        let screen = async |name: &str| manager.get(&format!("{campaign}/{name}")).await;
        let file = async |kind: &str| rows(&file(manager, campaign, &format!("kind={kind}")).await);
        Self {
            stats: screen("stats?from=2026-11-20").await,
            results: screen("results").await,
            rates: screen("rates").await,
            people: file("results").await,
            attempts: file("attempts").await,
            dispositions: file("dispositions").await,
            answers: file("answers").await,
            turns: file("transcripts").await,
        }
    }

    fn assert_agrees(&self) {
        self.assert_people_and_calls_agree();
        self.assert_calls_over_time_agree();
        self.assert_interviews_and_rates_agree();
        for question in self.results.at("/questions").as_array().unwrap() {
            self.assert_question_agrees(question);
        }
    }

    fn assert_people_and_calls_agree(&self) {
        let Self { stats, people, .. } = self;
        assert_eq!(counted(people, "status"), told(stats, "/tasks"));
        assert_eq!(counted(&self.dispositions, "status"), told(stats, "/tasks"));
        assert_eq!(stats.at("/total_tasks"), people.len());
        let outcomes = counted(&self.attempts, "outcome");
        assert_eq!(outcomes, told(stats, "/outcomes"));
        assert_eq!(counted(&self.attempts, "state"), told(stats, "/attempts"));
        assert_eq!(stats.at("/total_attempts"), self.attempts.len());

        let of = |names: &[&str]| -> u64 {
            let known = names.iter().filter_map(|name| outcomes.get(*name));
            known.sum()
        };
        let ended: u64 = outcomes.values().sum();
        let contacted = stats.at("/contacted_rate");
        assert_eq!(contacted["numerator"], of(&SPOKEN_TO));
        assert_eq!(contacted["denominator"], ended - of(&NEVER_RANG));
        let statuses = counted(people, "status");
        let in_status = |status: &str| statuses.get(status).copied().unwrap_or(0);
        let closed = ["completed", "refused", "not_reached", "failed"].map(in_status);
        let completed = stats.at("/completed_rate");
        assert_eq!(completed["numerator"], in_status("completed"));
        assert_eq!(
            completed["denominator"],
            closed.iter().sum::<u64>() + of(&["quota_full"])
        );
    }

    fn assert_calls_over_time_agree(&self) {
        let stats = &self.stats;
        let zone: TimeZone = "Europe/Rome".parse().unwrap();
        let mut days: BTreeMap<String, (u64, u64, f64)> = BTreeMap::new();
        for attempt in &self.attempts {
            let started_at: Timestamp = attempt["started_at"].parse().unwrap();
            let day = days.entry(zone.local(started_at).date().to_string());
            let (calls, seconds, cost) = day.or_default();
            *calls += 1;
            *seconds += attempt["talk_seconds"].parse().unwrap_or(0);
            *cost += attempt["cost"].parse().unwrap_or(0.0);
        }
        let per_day = stats.at("/calls/per_day");
        let per_day = per_day.as_array().unwrap();
        assert_eq!(per_day.len(), days.len());
        let mut spent = 0.0;
        for told in per_day {
            let (calls, seconds, cost) = days[told["day"].as_str().unwrap()];
            assert_eq!(
                (&told["calls"], &told["talk_seconds"]),
                (&calls.into(), &seconds.into())
            );
            assert_near(number_in(&told["costs"]["EUR"]), cost);
            spent += cost;
        }
        assert_near(number_in(&stats.at("/spent/0/amount")), spent);
        let talked = self
            .attempts
            .iter()
            .filter(|call| !call["talk_seconds"].is_empty());
        assert_eq!(stats.at("/calls/talk/calls"), talked.count());
        let per_contact = stats.at("/calls/per_contact");
        let per_contact = per_contact.as_array().unwrap().iter();
        let per_contact: BTreeMap<String, u64> = per_contact
            .map(|told| {
                (
                    told["calls"].to_string(),
                    told["contacts"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(counted(&self.people, "attempts"), per_contact);
    }

    fn assert_interviews_and_rates_agree(&self) {
        let interviews = counted(&self.people, "interview");
        let groups = told(&self.rates, "/groups");
        assert_eq!(counted(&self.dispositions, "aapor_group"), groups);
        for (name, group) in [("complete", "I"), ("partial", "P")] {
            let told = self.results.at(&format!("/{name}"));
            assert_eq!(told, interviews[name], "{name}");
            assert_eq!(told, groups[group], "{name}");
        }
        let listed = self.rates.at("/dispositions");
        let listed = listed.as_array().unwrap().iter();
        let codes: BTreeMap<String, u64> = listed
            .map(|one| {
                let code = one["code"].as_str().unwrap().to_owned();
                (code, one["count"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(counted(&self.dispositions, "aapor_code"), codes);
        assert_eq!(counted(&self.people, "aapor_code"), codes);
        let left_out = self.dispositions.iter();
        let left_out = left_out.filter(|case| case["aapor_code"].is_empty());
        let suppressed = self.rates.at("/suppressed").as_u64().unwrap();
        let not_released = self.rates.at("/not_released").as_u64().unwrap();
        assert_eq!(left_out.count() as u64, suppressed + not_released);

        let of = |group: &str| groups.get(group).copied().map_or(0.0, float);
        let (i, p, r, o) = (of("I"), of("P"), of("R"), of("O"));
        let known = i + p + r + of("NC") + o;
        let unknown = of("UH") + of("UO");
        let eligible = known / (known + of("NE"));
        for (name, expected) in [
            ("RR1", i / (known + unknown)),
            ("RR2", (i + p) / (known + unknown)),
            ("RR3", i / (known + eligible * unknown)),
            ("RR6", (i + p) / known),
            ("COOP1", i / (i + p + r + o)),
            ("REF1", r / (known + unknown)),
            ("CON1", (i + p + r + o) / (known + unknown)),
        ] {
            let rates = self.rates.at("/rates");
            let mut rates = rates.as_array().unwrap().iter();
            let rate = rates.find(|rate| rate["name"] == name).unwrap();
            let value = rate["value"].as_f64().unwrap();
            assert!((value - expected).abs() < 0.000_051, "{name}: {rate}");
        }
    }

    fn assert_question_agrees(&self, question: &Value) {
        let key = question["key"].as_str().unwrap();
        let given = self.answers.iter().filter(|row| row["question_key"] == key);
        let given: Vec<Row> = given.cloned().collect();
        let became = counted(&given, "result");
        for result in ["answered", "skipped", "dont_know", "not_understood"] {
            let count = became.get(result).copied().unwrap_or_default();
            assert_eq!(question[result], count, "{key} {result}");
        }
        let asked = self
            .turns
            .iter()
            .filter(|turn| turn["speaker"] == "agent" && turn["question_key"] == key);
        let asked: BTreeSet<&str> = asked.chain(&given).map(|row| &*row["task_id"]).collect();
        assert_eq!(question["asked"], asked.len(), "{key}");
        let left = ["refused", "left"].map(|fate| question[fate].as_u64().unwrap());
        let drop_off = float(left.iter().sum()) / float(asked.len() as u64);
        assert!(
            (question["drop_off"].as_f64().unwrap() - drop_off).abs() < 0.000_051,
            "{key}"
        );

        let in_row = self.people.iter().map(|person| &*person[key]);
        let in_row: Vec<&str> = in_row.filter(|value| !value.is_empty()).collect();
        assert_eq!(question["answered"], in_row.len(), "{key}");
        let marks: Vec<f64> = in_row
            .iter()
            .filter_map(|value| value.parse().ok())
            .collect();
        if marks.is_empty() {
            return;
        }
        let all = float(marks.len() as u64);
        let mean = marks.iter().sum::<f64>() / all;
        assert!(
            (question["mean"].as_f64().unwrap() - mean).abs() < 0.005_1,
            "{key}"
        );
        if key == "recommend" {
            let share = |is_meant: fn(f64) -> bool| {
                let meant = marks.iter().filter(|mark| is_meant(**mark));
                100.0 * float(meant.count() as u64) / all
            };
            let score = share(|mark| mark >= 9.0) - share(|mark| mark <= 6.0);
            let told = question["net_promoter_score"]["score"].as_f64().unwrap();
            assert!((told - score).abs() < 0.051, "{told} {score}");
        }
    }

    /// Whether things went as differently as they have to for this test to show anything.
    fn assert_is_mixed(&self) {
        let outcomes = counted(&self.attempts, "outcome");
        for outcome in [
            "completed",
            "partial",
            "refused",
            "opted_out",
            "quota_full",
            "busy",
        ] {
            assert!(outcomes.contains_key(outcome), "{outcome}: {outcomes:?}");
        }
        let answered: BTreeSet<&str> = self.answers.iter().map(|row| &*row["task_id"]).collect();
        let mut people = self.people.iter();
        let of_no_interview = |person: &&Row| {
            answered.contains(&*person["task_id"]) && person["interview"].is_empty()
        };
        assert!(
            people.any(|person| of_no_interview(&person)),
            "who refused after an answer"
        );
        assert!(self.rates.at("/suppressed").as_u64() >= Some(1));
        let young = self.people.iter().filter(|person| {
            person["status"] == "completed"
                && person["age"].parse().is_ok_and(|age: f64| age <= 60.0)
        });
        assert_eq!(self.stats.at("/quotas/0/completed"), young.count());
        assert_eq!(self.stats.at("/quotas/0/state"), "full");
        assert!(self.stats.at("/forecast/completes_per_contact").is_number());
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
fn float(count: u64) -> f64 {
    count as f64
}

/// The number that a text of an answer is; none is nothing.
fn number_in(text: &Value) -> f64 {
    text.as_str().map_or(0.0, |text| text.parse().unwrap())
}

fn assert_near(told: f64, expected: f64) {
    assert!((told - expected).abs() < 1e-9, "{told} {expected}");
}

/// Notes what every third call has cost.
async fn price_some(work: &mut dyn UnitOfWork) {
    let page = PageRequest::first(PageRequest::LARGEST);
    let all = CallAttemptFilter::default();
    let attempts = work.call_attempts().list(&all, &page).await.unwrap().rows;
    for (mut attempt, cents) in attempts.into_iter().zip(1_i64..).step_by(3) {
        attempt.cost = Some(Cost {
            amount: rust_decimal::Decimal::new(cents, 3),
            currency: "EUR".to_owned(),
        });
        work.call_attempts().update(&attempt).await.unwrap();
    }
}

/// Erases somebody who has finished the interview, and corrects what somebody else has answered.
async fn erase_and_correct(manager: &Caller, people: &[Row], answers: &[Row]) {
    let mut complete = people
        .iter()
        .filter(|person| person["interview"] == "complete");
    let erased = complete.next().unwrap();
    let body = json!({ "phone_number": erased["phone_number"], "reason": "a letter" });
    let answer = manager.post("/api/erasures", &body).await;
    assert_eq!(answer.status, 201, "{answer}");
    let corrected = answers.iter().find(|answer| {
        answer["task_id"] != erased["task_id"]
            && answer["question_key"] == "recommend"
            && answer["result"] == "answered"
            && answer["value"] != "10"
    });
    let path = format!("/api/answers/{}", corrected.unwrap()["answer_id"]);
    let answer = manager.patch(&path, &json!({ "value": 10 })).await;
    assert_eq!(answer.status, 200, "{answer}");
}

/// X11, and that erasing, correcting and forgetting people leaves screens and files in agreement.
#[tokio::test]
async fn every_total_of_a_mixed_campaign_is_the_same_in_files_and_screens() {
    let (app, memory) = TestApp::start_among(all_sorts_of_people()).await;
    let company = app.company("Acme").await;
    let admin = company.admin().await;
    let excluded = json!({ "phone_number": "+393470000003", "reason": "a letter" });
    assert_eq!(admin.post("/api/exclusions", &excluded).await.status, 200);
    let campaign = create(&admin).await;
    let path = format!("{campaign}/contacts/upload");
    assert_eq!(admin.upload(&path, "list.csv", list(120)).await.status, 201);
    assert_eq!(admin.set_status(&campaign, "running").await.status, 200);
    app.engine_steps(3).await;
    Told::of(&admin, &campaign)
        .await
        .assert_people_and_calls_agree();
    app.run_to_the_end().await;
    let mut work = memory.begin(Scope::Company(company.id)).await.unwrap();
    price_some(&mut *work).await;
    work.commit().await.unwrap();

    let ended = Told::of(&admin, &campaign).await;
    ended.assert_is_mixed();
    ended.assert_agrees();

    erase_and_correct(&admin, &ended.people, &ended.answers).await;
    let corrected = Told::of(&admin, &campaign).await;
    corrected.assert_agrees();
    assert_eq!(corrected.rates.json(), ended.rates.json());
    let score = "/questions/1/net_promoter_score";
    assert_ne!(corrected.results.at(score), ended.results.at(score));

    let days = json!({ "contact_days": 30, "transcript_days": 30 });
    assert_eq!(admin.patch("/api/retention", &days).await.status, 200);
    app.clock.set(app.clock.now() + chrono::TimeDelta::days(40));
    app.run_to_the_end().await;
    let forgotten = Told::of(&admin, &campaign).await;
    assert!(
        forgotten
            .people
            .iter()
            .all(|person| person["name"].is_empty())
    );
    forgotten.assert_agrees();
    assert_eq!(forgotten.rates.json(), ended.rates.json());
    assert_eq!(forgotten.stats.at("/outcomes"), ended.stats.at("/outcomes"));
}
