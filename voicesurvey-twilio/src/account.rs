//! Whether an account can make calls at all: asked before the first one, not while calling.

use serde::Deserialize;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::ProviderError;

use crate::client::Response;
use crate::provider::{TwilioProvider, refused, unanswered};

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

    /// Whether a number may be shown; the one of the settings, if none is named.
    pub async fn caller_id(
        &self,
        number: Option<PhoneNumber>,
    ) -> Result<CallerIdStanding, ProviderError> {
        let number = number.unwrap_or(self.settings.caller_id);
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
