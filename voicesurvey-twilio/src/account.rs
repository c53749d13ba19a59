//! Whether an account can make calls at all: asked before the first one, not while calling.

use serde::Deserialize;
use serde_json::Value;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{CallReference, ProviderError};

use crate::client::{Client, Response};
use crate::provider::{TwilioProvider, refused, sid_of, unanswered};
use crate::settings::{Credentials, TwilioSettings};

/// How an account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountStanding {
    /// Whether it makes calls: it is neither suspended nor closed.
    pub is_active: bool,
    /// Whether it calls verified numbers only, with an announcement before ours.
    pub is_trial: bool,
}

/// What an account may do with a number that is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerIdStanding {
    /// It is the account's own, and can call.
    Owned,
    /// It is the account's own, and cannot call.
    OwnedWithoutVoice,
    /// It belongs to somebody who has allowed it.
    Verified,
    /// The account may not show it.
    NotOurs,
}

#[derive(Deserialize)]
struct Account {
    status: String,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct OwnNumbers {
    incoming_phone_numbers: Vec<OwnNumber>,
}

#[derive(Deserialize)]
struct OwnNumber {
    phone_number: String,
    #[serde(default)]
    capabilities: Capabilities,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Capabilities {
    voice: bool,
}

#[derive(Deserialize)]
struct VerifiedNumbers {
    outgoing_caller_ids: Vec<VerifiedNumber>,
}

#[derive(Deserialize)]
struct VerifiedNumber {
    phone_number: String,
}

#[derive(Deserialize)]
struct Notifications {
    notifications: Vec<Notification>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Notification {
    error_code: String,
    /// `0` is an error; a text or a number.
    log: Value,
    message_text: String,
}

impl TwilioProvider {
    /// How the account is. An error, if the credentials are wrong or Twilio cannot be asked.
    pub async fn account(&self) -> Result<AccountStanding, ProviderError> {
        let response = self.client.get(self.client.account_url()).await;
        let account: Account = read(&response.map_err(unanswered)?)?;
        Ok(AccountStanding {
            is_active: account.status == "active",
            is_trial: account.kind == "Trial",
        })
    }

    /// Which of the webhook tokens are none of the account's, by their places in the settings. An
    /// error, if Twilio cannot be asked.
    pub async fn refused_tokens(&self) -> Result<Vec<usize>, ProviderError> {
        let mut refused_ones = Vec::new();
        for (place, token) in self.settings.webhook_tokens.iter().enumerate() {
            let settings = TwilioSettings {
                credentials: Credentials::AuthToken(token.clone()),
                ..self.settings.clone()
            };
            let client = Client::new(&settings).map_err(|error| ProviderError {
                what: error.to_string(),
            })?;
            let response = client.get(client.account_url()).await.map_err(unanswered)?;
            match response.status {
                200..=299 => {}
                401 | 403 => refused_ones.push(place),
                _ => return Err(refused(&response)),
            }
        }
        Ok(refused_ones)
    }

    /// What Twilio says went wrong in a call, as codes and sentences: errors, and no warnings.
    pub async fn errors_in(&self, call: &CallReference) -> Result<Vec<String>, ProviderError> {
        let url = self
            .client
            .url(&["Calls", sid_of(call)?, "Notifications.json"]);
        let response = self.client.get(url).await.map_err(unanswered)?;
        let told: Notifications = read(&response)?;
        let errors = told.notifications.into_iter();
        let errors = errors.filter(|told| told.log.as_str() == Some("0") || told.log == 0);
        Ok(errors
            .map(|told| format!("{}: {}", told.error_code, told.message_text))
            .collect())
    }

    /// Whether a number may be shown.
    pub async fn caller_id(&self, number: PhoneNumber) -> Result<CallerIdStanding, ProviderError> {
        let own: OwnNumbers = read(&self.numbers("IncomingPhoneNumbers.json", &number).await?)?;
        let own = own.incoming_phone_numbers;
        if let Some(own) = own.iter().find(|own| own.phone_number == number.as_str()) {
            return Ok(if own.capabilities.voice {
                CallerIdStanding::Owned
            } else {
                CallerIdStanding::OwnedWithoutVoice
            });
        }
        let verified: VerifiedNumbers =
            read(&self.numbers("OutgoingCallerIds.json", &number).await?)?;
        let verified = verified.outgoing_caller_ids;
        let is_verified = verified.iter().any(|it| it.phone_number == number.as_str());
        Ok(if is_verified {
            CallerIdStanding::Verified
        } else {
            CallerIdStanding::NotOurs
        })
    }

    async fn numbers(&self, list: &str, number: &PhoneNumber) -> Result<Response, ProviderError> {
        let mut url = self.client.url(&[list]);
        url.query_pairs_mut()
            .append_pair("PhoneNumber", number.as_str());
        self.client.get(url).await.map_err(unanswered)
    }
}

fn read<'a, T: Deserialize<'a>>(response: &'a Response) -> Result<T, ProviderError> {
    if !response.is_success() {
        return Err(refused(response));
    }
    serde_json::from_slice(&response.body).map_err(|error| ProviderError {
        what: format!("the answer of Twilio cannot be read: {error}"),
    })
}
