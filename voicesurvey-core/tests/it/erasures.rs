//! Erasing a person, and forgetting what is too old (A25).

use std::num::NonZeroU16;
use std::sync::Arc;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_attempt::{CallEvent, CallEventKind, Recording, RecordingState};
use voicesurvey_core::call_list::{CallList, CallListRow};
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::contact_record::ContactFilter;
use voicesurvey_core::erasure::Retention;
use voicesurvey_core::exclusion::ExcludedBy;
use voicesurvey_core::export::{
    Delimiter, ExportFormat, ExportKind, ExportOrder, ExportState, Written,
};
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::number_keys::NumberKeys;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{Scope, Storage};
use voicesurvey_core::service::erasures::{Erased, Erasures};
use voicesurvey_core::service::{CampaignService, Exports, ServiceError};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::Clock as _;

use super::scripted::{Knows, World};

fn erasures(world: &World, store: &MemoryStorage) -> Erasures {
    let ids = IdGenerator::from_seed(world.clock.clone(), 9);
    Erasures::new(
        Arc::new(store.clone()),
        world.provider.clone(),
        world.clock.clone(),
        Arc::new(ids),
    )
}

fn admin(world: &World) -> Actor {
    Actor {
        role: Role::Admin,
        ..world.actor.clone()
    }
}

fn code(error: &ServiceError) -> &str {
    match error {
        ServiceError::NotAllowed { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_person_is_erased_and_never_called_again() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let (task, attempt) = world.in_conversation(&campaign).await;
    let other = samples::campaign(&world.company);
    let number = task.contact.phone_number;
    let waiting = samples::task(&other, number.as_str());
    world.start(&other, std::slice::from_ref(&waiting)).await;
    let erasures = erasures(&world, &world.store);
    let admin = admin(&world);
    let why = "a letter of 3 May";

    let refused = erasures.erase(&admin, number.as_str(), why).await;
    assert_eq!(code(&refused.unwrap_err()), "call_in_progress");
    world.say(&attempt, "sì").await;
    world.end(&attempt, None).await;
    let Erased::Now(report) = erasures.erase(&admin, number.as_str(), why).await.unwrap() else {
        panic!("something was erased");
    };
    assert_eq!((report.erased.contacts, report.erased.calls), (2, 1));
    assert!(report.erased.turns > 0 && report.erased.conversations == 1);
    assert_eq!(report.requested_by, admin.api_key_id);
    let waiting = world.task(&waiting).await;
    assert_eq!(waiting.state.status(), TaskStatus::Excluded);
    assert!(waiting.contact.phone_number.is_nobodys());

    let again = erasures.erase(&admin, number.as_str(), why).await.unwrap();
    assert_eq!(again, Erased::Before(report.clone()));
    assert_eq!(erasures.get(&admin, report.id).await.unwrap(), report);

    // Whoever uploads the number again brings nobody.
    let list = list(vec![row(2, number.as_str())]);
    let campaigns = world.engine.campaigns();
    let upload = campaigns.upload(&world.actor, other.id, list.into()).await;
    let upload = upload.unwrap();
    assert_eq!((upload.created, upload.excluded, upload.erased), (0, 0, 1));
    world.follow_for(TimeDelta::days(3)).await;
    assert_eq!(world.provider.dialed(), [number]);
    let again = erasures.erase(&admin, number.as_str(), why).await.unwrap();
    assert_eq!(again, Erased::Before(report));
}

fn row(row: u64, phone_number: &str) -> CallListRow {
    CallListRow {
        row,
        phone_number: phone_number.to_owned(),
        ..CallListRow::default()
    }
}

fn list(rows: Vec<CallListRow>) -> CallList {
    CallList {
        rows,
        ..CallList::default()
    }
}

/// Not in the rows that are taken, nor in those that are not, nor on the exclusion list.
#[tokio::test]
async fn nothing_of_an_erased_person_is_kept_when_they_are_uploaded_again() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    world.insert(&campaign, &[]).await;
    let (erasures, admin) = (erasures(&world, &world.store), admin(&world));
    let [ada, ugo] = ["+393471234561", "+393471234562"];
    erasures.erase(&admin, ada, "a letter").await.unwrap();
    let unreadable = CallListRow {
        language: "Klingon".to_owned(),
        original: vec!["Ada Rossi".to_owned(), "347 1234561".to_owned()],
        ..row(4, ada)
    };
    let do_not_call = CallListRow {
        do_not_call: "yes".to_owned(),
        ..row(3, ada)
    };
    let wrong = CallListRow {
        original: vec!["Ugo".to_owned(), "12".to_owned()],
        ..row(6, "12")
    };
    let further = row(5, &format!("{ugo}; {ada}; +393471234563"));
    let list = list(vec![row(2, ada), do_not_call, unreadable, further, wrong]);
    let campaigns = world.engine.campaigns();
    let looked = campaigns.preview(&world.actor, campaign.id, list.clone().into());
    let looked = looked.await.unwrap();
    let done = campaigns.upload(&world.actor, campaign.id, list.into());
    let done = done.await.unwrap();
    let counts = (done.created, done.excluded, done.erased, done.errors_count);
    assert_eq!(counts, (1, 0, 2, 1));
    assert_eq!((done.total_rows, done.duplicates_in_list), (5, 1));
    let counts_of_preview = (looked.created, looked.excluded, looked.erased);
    assert_eq!(
        counts_of_preview,
        (done.created, done.excluded, done.erased)
    );
    assert_eq!(looked.errors_count, done.errors_count);
    assert_eq!((looked.contacts.len(), looked.errors.len()), (1, 1));

    let mut work = world.work().await;
    let page = voicesurvey_core::ports::PageRequest::default();
    let all = voicesurvey_core::ports::repositories::CallTaskFilter::default();
    let people = work.call_tasks().list(&all, &page).await.unwrap().rows;
    let [ugo_again] = people.as_slice() else {
        panic!("{people:?}");
    };
    assert_eq!(ugo_again.contact.phone_number.as_str(), ugo);
    let further = &ugo_again.contact.extra["other_phone_numbers"];
    assert_eq!(further, "+393471234563");
    let errors = work.call_lists().errors(done.id, 0, 10).await.unwrap();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].row, 6);
    let number = ada.parse().unwrap();
    assert_eq!(work.exclusions().get(&number).await.unwrap(), None);
}

/// Files that were made to be fetched hold an erased person no longer.
#[tokio::test]
async fn a_finished_file_expires_when_somebody_of_its_campaign_is_erased() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.insert(&campaign, std::slice::from_ref(&task)).await;
    let ids = Arc::new(IdGenerator::from_seed(world.clock.clone(), 5));
    let storage = Arc::new(world.store.clone());
    let keep_for = TimeDelta::days(30);
    let exports = Exports::new(storage, world.clock.clone(), ids, keep_for);
    let order = ExportOrder {
        kind: ExportKind::Results,
        format: ExportFormat::Csv,
        delimiter: Delimiter::Comma,
        filter: ContactFilter::default(),
        thresholds: voicesurvey_core::rates::Thresholds::default(),
    };
    let asked = exports.request(&world.actor, campaign.id, order).await;
    let (asked, secret) = asked.unwrap();
    let (export, _) = exports.claim().await.unwrap().unwrap();
    let written = Written::default();
    let export = exports.add(export, b"Ada", written).await.unwrap();
    exports.finish(export.clone(), written).await.unwrap();
    assert!(exports.piece(&export, 0).await.unwrap().is_some());

    let (erasures, admin) = (erasures(&world, &world.store), admin(&world));
    let number = task.contact.phone_number;
    let erased = erasures.erase(&admin, number.as_str(), "a letter").await;
    let Erased::Now(report) = erased.unwrap() else {
        panic!("something was erased");
    };
    assert_eq!(report.erased.exports, 1);
    let found = exports.by_link(asked.id, &secret).await.unwrap().unwrap();
    assert_eq!(found.state, ExportState::Expired);
    assert_eq!(exports.piece(&found, 0).await.unwrap(), None);
}

/// An upload that began before the erasure may bring the number in after it: the dispatcher's last
/// look still knows.
#[tokio::test]
async fn an_erased_number_that_slipped_in_is_not_dialed() {
    let world = World::new().await;
    let erasures = erasures(&world, &world.store);
    let number = samples::phone_number(1);
    let admin = admin(&world);
    let erased = erasures.erase(&admin, number.as_str(), "a letter");
    erased.await.unwrap();
    let campaign = samples::campaign(&world.company);
    let task = samples::task(&campaign, number.as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    world.step().await;
    assert_eq!(world.provider.dialed(), []);
    let task = world.task(&task).await;
    assert_eq!(task.state.status(), TaskStatus::Excluded);
    assert_eq!(task.attempts_spent, 0);
}

/// Late news of a call cannot bring an erased person back.
#[tokio::test]
async fn late_news_of_an_erased_person_calls_nobody() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    world
        .end(&attempt, Some(Outcome::HungUpBeforeConsent))
        .await;
    let erasures = erasures(&world, &world.store);
    let number = task.contact.phone_number;
    let admin = admin(&world);
    let erased = erasures.erase(&admin, number.as_str(), "a letter");
    erased.await.unwrap();
    world.end(&attempt, Some(Outcome::Busy)).await;
    world.follow_for(TimeDelta::days(3)).await;
    assert_eq!(world.provider.dialed(), [number]);
    assert!(world.task(&task).await.contact.phone_number.is_nobodys());
}

/// What a call has cost is asked for by the provider's name of it, which stays until it is known and
/// is not brought back by late news.
#[tokio::test]
async fn the_price_of_a_call_to_an_erased_person_is_still_asked_for() {
    for (knows, cents) in [(Knows::Costs(3), Some(3)), (Knows::Nothing, None)] {
        let world = World::with_prices().await;
        let campaign = samples::campaign(&world.company);
        let task = samples::task(&campaign, samples::phone_number(1).as_str());
        world.start(&campaign, std::slice::from_ref(&task)).await;
        world.step().await;
        let attempt = world.latest_attempt(&task).await;
        world.end(&attempt, Some(Outcome::NoAnswer)).await;
        let name = world.attempt(attempt.id).await.provider_call_id;
        assert!(name.is_some());
        let admin = admin(&world);
        let erased = erasures(&world, &world.store);
        let erased = erased.erase(&admin, task.contact.phone_number.as_str(), "a letter");
        erased.await.unwrap();
        assert_eq!(world.attempt(attempt.id).await.provider_call_id, name);

        world.provider.knows(knows);
        world.follow_for(TimeDelta::days(2)).await;
        let priced = world.attempt(attempt.id).await;
        let cost = priced.cost.map(|cost| cost.amount);
        assert_eq!(cost, cents.map(|cents| Decimal::new(cents, 2)));
        assert_eq!((priced.provider_call_id, priced.price_due_at), (None, None));
        let late = CallEvent {
            provider_call_id: name,
            ..samples::call_event(&attempt, "late")
        };
        world.call_events.receive(&late).await.unwrap();
        assert_eq!(world.attempt(attempt.id).await.provider_call_id, None);
        let mut work = world.work().await;
        let told = work.events().received(attempt.id).await.unwrap();
        let late = told.iter().find(|event| event.event_id == "late").unwrap();
        assert_eq!(late.provider_call_id, None);
    }
}

/// The provider keeps recordings: it is asked until it has erased them, also after it was unreachable,
/// and after late news of one.
#[tokio::test]
async fn recordings_of_an_erased_person_are_erased_at_the_provider() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "sì").await;
    let news = |state| {
        let recording = Recording {
            provider_recording_id: Some("recording-1".to_owned()),
            url: Some("https://provider.example/1".to_owned()),
            ..Recording::new(state)
        };
        CallEventKind::Recorded { recording }
    };
    world.tell(&attempt, news(RecordingState::InProgress)).await;
    world.end(&attempt, None).await;
    world.step().await;
    let erasures = erasures(&world, &world.store);
    let (admin, number) = (admin(&world), task.contact.phone_number);
    world.provider.erases_recordings(false);
    let erased = erasures.erase(&admin, number.as_str(), "a letter").await;
    let Erased::Now(report) = erased.unwrap() else {
        panic!("something was erased");
    };
    assert_eq!((report.erased.contacts, report.erased.recordings), (1, 1));
    let asked = |times| vec!["recording-1"; times];
    assert_eq!(world.provider.asked_to_erase(), asked(1));
    let known = async || world.attempt(attempt.id).await.recording;
    assert!(known().await.is_some(), "it is not erased yet");

    let pass = async |minutes| {
        let now = world.clock.now() + TimeDelta::minutes(minutes);
        world.clock.set(now);
        world.step().await;
    };
    pass(10).await;
    assert_eq!(world.provider.asked_to_erase(), asked(1), "an hour apart");
    pass(60).await;
    assert_eq!(world.provider.asked_to_erase(), asked(2));
    assert!(known().await.is_some());
    world.provider.erases_recordings(true);
    pass(60).await;
    assert_eq!(world.provider.asked_to_erase(), asked(3));
    assert_eq!(known().await, None);
    pass(60).await;
    assert_eq!(world.provider.asked_to_erase(), asked(3), "it is erased");

    world.tell(&attempt, news(RecordingState::Finished)).await;
    assert!(known().await.is_some());
    pass(60).await;
    assert_eq!(world.provider.asked_to_erase(), asked(4));
    assert_eq!(known().await, None);
}

#[tokio::test]
async fn a_store_without_keys_erases_nobody_and_with_other_keys_calls_nobody() {
    let world = World::new().await;
    let number = samples::phone_number(1);
    let keyless = world.store.clone().with_number_keys(NumberKeys::default());
    let refused = erasures(&world, &keyless);
    let admin = admin(&world);
    let refused = refused.erase(&admin, number.as_str(), "a letter");
    assert_eq!(code(&refused.await.unwrap_err()), "no_number_key");

    let erasures = erasures(&world, &world.store);
    let erased = erasures.erase(&admin, number.as_str(), "a letter");
    let Erased::Now(report) = erased.await.unwrap() else {
        panic!("the hash is new");
    };
    assert!(report.erased.is_nothing(), "nobody knew the number");
    let scope = Scope::Company(world.company.id);
    let mut work = world.store.begin(scope).await.unwrap();
    let bar = work.exclusions().excluded_by(&number).await.unwrap();
    assert_eq!(bar, Some(ExcludedBy::Erasure));
    drop(work);
    let mut work = keyless.begin(scope).await.unwrap();
    for number in [number, samples::phone_number(2)] {
        let error = work.exclusions().excluded_by(&number).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("database.number_keys"), "{cause}");
        work.exclusions().among(&[number]).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_bad_number_and_a_reason_that_tells_it_are_named() {
    let world = World::new().await;
    let erasures = erasures(&world, &world.store);
    let admin = admin(&world);
    let wrong = async |number: &str, reason: &str| {
        let refused = erasures.erase(&admin, number, reason).await;
        let Err(ServiceError::Invalid(errors)) = refused else {
            panic!("{refused:?}");
        };
        errors
            .into_iter()
            .map(|error| error.field)
            .collect::<Vec<_>>()
    };
    assert_eq!(wrong("12", "").await, ["phone_number", "reason"]);
    assert_eq!(wrong("+393471234567", "of 347 1234567").await, ["reason"]);
    let manager = Actor {
        role: Role::Manager,
        ..admin.clone()
    };
    let refused = erasures.erase(&manager, "+393471234567", "a letter").await;
    assert!(matches!(refused, Err(ServiceError::Forbidden { .. })));
}

#[tokio::test]
async fn what_is_too_old_is_forgotten_by_itself() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "sì").await;
    world.say(&attempt, "sì").await;
    world.end(&attempt, None).await;
    let retention = Retention {
        transcript_days: NonZeroU16::new(7),
        answer_days: NonZeroU16::new(20),
        contact_days: NonZeroU16::new(30),
    };
    let erasures = erasures(&world, &world.store);
    let admin = admin(&world);
    erasures.set_retention(&admin, retention).await.unwrap();
    assert_eq!(erasures.retention(&admin).await.unwrap(), retention);
    let known = async || {
        world.step().await;
        let mut work = world.work().await;
        let turns = work.interviews().turns(attempt.id).await.unwrap();
        let answers = work.interviews().answers(task.id).await.unwrap();
        assert!(!turns.is_empty() && !answers.is_empty());
        let task = work.call_tasks().get(task.id).await.unwrap().unwrap();
        (
            turns.iter().any(|turn| !turn.words.is_empty()),
            answers.iter().any(|answer| answer.result.value().is_some()),
            !task.contact.phone_number.is_nobodys(),
        )
    };
    assert_eq!(known().await, (true, true, true));
    for (day, expected) in [
        (6, (true, true, true)),
        (8, (false, true, true)),
        (21, (false, false, true)),
        (31, (false, false, false)),
    ] {
        world.clock.set(samples::now() + TimeDelta::days(day));
        assert_eq!(known().await, expected, "day {day}");
    }
}
