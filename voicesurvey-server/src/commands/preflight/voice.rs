//! The voice flow: every campaign that may still call is held once from greeting to goodbye, without a
//! telephone, and each reply is written as the provider speaks it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::conversation::{Conversation, Heard, Then};
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::Expected;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{CallReference, PageRequest, Scope, StorageError, TelephonyProvider};
use voicesurvey_core::service::test_conversations::TestContact;
use voicesurvey_core::service::{ServiceError, TestConversations};
use voicesurvey_core::time::{Clock, SystemClock};

use super::gate::{Gate, GateResult, Problem};
use crate::commands::CommandError;
use crate::config::Config;
use crate::providers::Telephony;
use crate::stores::Stores;

const FLOW: &str = "campaigns can be held from greeting to goodbye";

/// The newest ones that may still call; older ones were held before.
const MOST_CAMPAIGNS: usize = 100;

/// More replies than any interview has.
const MOST_REPLIES: u16 = 1_000;

/// It was not looked at.
pub(super) fn skipped(why: &str) -> Gate {
    Gate::skipped("voice", FLOW, why)
}

/// Holds every campaign that has not ended for good.
pub(super) async fn gate(config: &Config, stores: &Stores) -> Result<Gate, CommandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = Arc::new(IdGenerator::from_entropy(clock.clone()));
    let telephony = Telephony::from_config(config, clock.clone(), &ids);
    let provider = telephony.map_err(CommandError::System)?.provider;
    let rules = Arc::new(RulesInterpreter::new());
    let held = TestConversations::new(stores.storage.clone(), rules, clock, ids);
    let campaigns = campaigns(stores).await.map_err(ServiceError::from)?;
    let mut problem = Problem::new(
        "somebody who answers every question does not come to the end",
        "hold it yourself by voicesurvey interview --campaign ID, and mend its survey",
    );
    for campaign in &campaigns {
        for language in languages(campaign) {
            if let Err(what) = hold(&held, campaign, language, &*provider).await? {
                let example = format!("campaign {} in {language}: {what}", campaign.id);
                problem.examples.push(example);
            }
        }
    }
    Ok(match campaigns.len() {
        0 => skipped("there is no campaign that may still call"),
        _ if !problem.examples.is_empty() => Gate {
            about: "voice",
            text: FLOW,
            result: GateResult::Fail(problem),
        },
        1 => Gate::passed("voice", FLOW, "1 campaign"),
        several => Gate::passed("voice", FLOW, format!("{several} campaigns")),
    })
}

async fn campaigns(stores: &Stores) -> Result<Vec<Campaign>, StorageError> {
    let mut work = stores.storage.begin(Scope::Platform).await?;
    let mut page = PageRequest::first(PageRequest::LARGEST);
    let mut open = Vec::new();
    loop {
        let newest = work.campaigns().list(None, &page).await?;
        let may_call = |campaign: &Campaign| !campaign.status.is_final();
        open.extend(newest.rows.into_iter().filter(may_call));
        open.truncate(MOST_CAMPAIGNS);
        match newest.next {
            Some(next) if open.len() < MOST_CAMPAIGNS => page.after = Some(next),
            _ => return Ok(open),
        }
    }
}

/// Every language in which the survey is offered.
fn languages(campaign: &Campaign) -> Vec<Language> {
    let settings = campaign.effective_settings();
    let translations = settings.survey.translations.keys();
    std::iter::once(settings.language)
        .chain(translations.copied())
        .collect()
}

/// What keeps the interview from its end, if anything does.
async fn hold(
    held: &TestConversations,
    campaign: &Campaign,
    language: Language,
    provider: &dyn TelephonyProvider,
) -> Result<Result<(), String>, CommandError> {
    let campaign = held.any_campaign(campaign.id).await?;
    let contact = TestContact {
        name: String::new(),
        language: Some(language),
        columns: BTreeMap::new(),
    };
    let mut last = held.begin(&campaign, contact)?;
    for _ in 0..MOST_REPLIES {
        let conversation = &last.step.conversation;
        if let Err(what) = speak(conversation, provider) {
            return Ok(Err(what));
        }
        let Then::Listen(listen) = &conversation.last_reply.then else {
            let outcome = conversation.outcome;
            return Ok(match outcome {
                Some(Outcome::Completed) => Ok(()),
                Some(outcome) => Err(format!("it ends as {outcome}")),
                None => Err("it hangs up before its end".to_owned()),
            });
        };
        let heard = answer(&listen.expected);
        last = held.hear(&campaign, last.state, heard).await?;
    }
    Ok(Err("it does not end".to_owned()))
}

/// The reply as the provider says it.
fn speak(conversation: &Conversation, provider: &dyn TelephonyProvider) -> Result<(), String> {
    let reply = &conversation.last_reply;
    if reply.say.iter().all(|words| words.trim().is_empty()) {
        return Err("it says nothing, and waits".to_owned());
    }
    let call = CallReference {
        company_id: conversation.company_id,
        attempt_id: conversation.attempt_id,
        provider_call_id: None,
    };
    let written = provider.write_reply(&call, reply);
    if written.status == 200 && !written.body.is_empty() {
        Ok(())
    } else {
        Err("the provider cannot say what is to be said".to_owned())
    }
}

/// An answer that is certainly one; silence where keys make none.
fn answer(expected: &Expected) -> Heard {
    let keys = |keys: String| Heard::Keys { keys };
    let number = |number: Decimal| {
        if number.is_sign_negative() || !number.is_integer() {
            Heard::Silence
        } else {
            keys(number.normalize().to_string())
        }
    };
    match expected {
        Expected::Consent
        | Expected::YesNo
        | Expected::Confirm { .. }
        | Expected::Choice { .. } => keys("1".to_owned()),
        Expected::Scale { max, .. } => number(Decimal::from(*max)),
        Expected::Number { min, max, .. } => number(max.or(*min).unwrap_or(Decimal::ONE)),
        Expected::FreeText => Heard::Speech {
            words: "va bene, okay, gut, bien, хорошо".to_owned(),
            confidence: None,
        },
        Expected::CallBackTime => Heard::Silence,
    }
}
