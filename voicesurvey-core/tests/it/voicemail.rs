//! What a voicemail hears, and how calls are ordered.

use std::collections::BTreeMap;

use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::call_task::{CallTask, TaskStatus};
use voicesurvey_core::campaign::{CallSettings, Campaign, MachineDetection, VoicemailPolicy};
use voicesurvey_core::conversation::{Then, VoiceReply};
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::CallOptions;
use voicesurvey_core::testing::samples;

use crate::scripted::World;

fn leaving(mut campaign: Campaign, messages: &[(Language, &str)]) -> Campaign {
    let messages = messages
        .iter()
        .map(|(code, words)| (*code, (*words).to_owned()));
    campaign.settings.calls.voicemail = VoicemailPolicy::LeaveMessage {
        messages: messages.collect(),
    };
    campaign
}

async fn one_person(campaign: impl FnOnce(Campaign) -> Campaign) -> (World, CallTask) {
    let world = World::new().await;
    let campaign = campaign(samples::campaign(&world.company));
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    (world, task)
}

/// The next call to the person is made, and answered by that; what it hears.
async fn next_call(world: &World, task: &CallTask, by: AnsweredBy) -> VoiceReply {
    world.step().await;
    let attempt = world.latest_attempt(task).await;
    let heard = world.answer(&attempt, by).await;
    assert_eq!(heard.then, Then::HangUp);
    assert_eq!(world.answer(&attempt, by).await, heard, "asked again");
    world.end(&attempt, None).await;
    if let Some(due_at) = world.task(task).await.state.due_at() {
        world.clock.set(due_at);
    }
    heard
}

#[tokio::test]
async fn a_message_is_left_once_for_each_person() {
    let (world, task) =
        one_person(|campaign| leaving(campaign, &[(Language::It, "Richiameremo, {{name}}.")]))
            .await;
    let name = &task.contact.name;
    let heard = next_call(&world, &task, AnsweredBy::Voicemail).await;
    assert_eq!(heard.say, [format!("Richiameremo, {name}.")]);
    let first = world.latest_attempt(&task).await;
    assert_eq!(first.outcome, Some(Outcome::Voicemail));
    let turns = world
        .work()
        .await
        .interviews()
        .turns(first.id)
        .await
        .unwrap();
    assert_eq!(turns.len(), 1, "it is on record");
    let waits = world.task(&task).await;
    assert_eq!(waits.state.status(), TaskStatus::Retry);
    assert_eq!(waits.outcome, Some(Outcome::Voicemail));

    let heard = next_call(&world, &task, AnsweredBy::Voicemail).await;
    assert_ne!(world.latest_attempt(&task).await.id, first.id);
    assert_eq!(heard.say, [""; 0], "it has heard it");
}

#[tokio::test]
async fn only_a_voicemail_hears_a_message() {
    for by in [AnsweredBy::Fax, AnsweredBy::CallScreening] {
        let (world, task) =
            one_person(|campaign| leaving(campaign, &[(Language::It, "Arrivederci.")])).await;
        assert_eq!(next_call(&world, &task, by).await.say, [""; 0]);
        assert_eq!(world.task(&task).await.outcome, by.outcome());
    }
    let (world, task) = one_person(|campaign| campaign).await;
    let heard = next_call(&world, &task, AnsweredBy::Voicemail).await;
    assert_eq!(heard.say, [""; 0], "nothing is left unless that is said");
}

#[tokio::test]
async fn a_message_is_in_a_language_that_the_person_understands() {
    for (messages, expected) in [
        (
            &[(Language::It, "Sì."), (Language::En, "Yes.")][..],
            Some((Language::En, "Yes.")),
        ),
        (&[(Language::It, "Sì.")], Some((Language::It, "Sì."))),
        (&[(Language::Ru, "Да.")], None),
    ] {
        let world = World::new().await;
        let mut campaign = leaving(samples::campaign(&world.company), messages);
        let survey = &mut campaign.settings.survey;
        let english = voicesurvey_core::survey::SurveyTranslation {
            intro_script: "Hello.".to_owned(),
            consent_question: None,
            completion_message: "Bye.".to_owned(),
            questions: BTreeMap::new(),
            options: BTreeMap::new(),
        };
        survey.translations.insert(Language::En, english);
        let mut task = samples::task(&campaign, samples::phone_number(1).as_str());
        task.contact.language = Some(Language::En);
        world.start(&campaign, std::slice::from_ref(&task)).await;
        let heard = next_call(&world, &task, AnsweredBy::Voicemail).await;
        let said = heard
            .say
            .first()
            .map(|words| (heard.language, words.as_str()));
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn a_call_is_ordered_as_its_campaign_wants_it() {
    let caller_id = Some(samples::phone_number(2));
    let machine_detection = Some(MachineDetection::Synchronous);
    let (world, _) = one_person(|campaign| {
        let mut campaign = leaving(campaign, &[(Language::It, "Arrivederci.")]);
        campaign.settings.calls = CallSettings {
            caller_id,
            machine_detection,
            ..campaign.settings.calls
        };
        campaign
    })
    .await;
    world.step().await;
    let expected = CallOptions {
        caller_id,
        machine_detection,
        leaves_message: true,
    };
    assert_eq!(world.provider.options(), [expected]);
    let (world, _) = one_person(|campaign| campaign).await;
    world.step().await;
    assert_eq!(world.provider.options(), [CallOptions::default()]);
}

const MACHINES: [AnsweredBy; 3] = [
    AnsweredBy::Voicemail,
    AnsweredBy::CallScreening,
    AnsweredBy::Fax,
];

#[tokio::test]
async fn a_machine_that_is_detected_while_it_is_spoken_to_is_hung_up_on() {
    for by in MACHINES {
        let world = World::new().await;
        let campaign = samples::campaign(&world.company);
        let (task, attempt) = world.in_conversation(&campaign).await;
        world.verdict(&attempt, by).await;
        assert_eq!(world.provider.hung_up(), [attempt.id]);
        world.end(&attempt, None).await;
        assert_eq!(world.task(&task).await.outcome, by.outcome());
    }
}

#[tokio::test]
async fn who_has_consented_is_not_hung_up_on_whatever_a_detector_says() {
    for by in MACHINES {
        let world = World::new().await;
        let campaign = samples::campaign(&world.company);
        let (task, attempt) = world.in_conversation(&campaign).await;
        world.say(&attempt, "s\u{ec}").await;
        world.verdict(&attempt, by).await;
        assert_eq!(world.provider.hung_up(), []);
        world.say(&attempt, "s\u{ec}").await;
        world.end(&attempt, None).await;
        let outcome = world.task(&task).await.outcome;
        assert_eq!(outcome, Some(Outcome::Completed));
    }
}

#[tokio::test]
async fn a_person_is_not_hung_up_on() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let (_, attempt) = world.in_conversation(&campaign).await;
    for by in [AnsweredBy::Person, AnsweredBy::Unknown] {
        world.verdict(&attempt, by).await;
    }
    assert_eq!(world.provider.hung_up(), []);
}

#[tokio::test]
async fn a_message_that_is_being_left_is_not_cut_short_by_a_verdict() {
    let (world, task) =
        one_person(|campaign| leaving(campaign, &[(Language::It, "Arrivederci.")])).await;
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    // The verdict is faster than the request for what to say.
    world.verdict(&attempt, AnsweredBy::Voicemail).await;
    let heard = world.answer(&attempt, AnsweredBy::Unknown).await;
    assert_eq!(heard.say, ["Arrivederci."]);
    world.verdict(&attempt, AnsweredBy::Voicemail).await;
    assert_eq!(world.provider.hung_up(), []);
}
