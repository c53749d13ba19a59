//! How calls are placed, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use voicesurvey_core::campaign::VoicemailPolicy;
use voicesurvey_core::language::Language;

use crate::api::fields::{Checks, Field, FromJson, UnknownFields};

const HANG_UP: &str = "hang_up";
const LEAVE_MESSAGE: &str = "leave_message";

/// What a voicemail hears.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewVoicemailBody {
    /// `hang_up`, or `leave_message`, once per person.
    #[schema(value_type = String, example = "leave_message")]
    policy: Field<String>,
    /// The words by language code, with `{{name}}` and columns of the list as in scripts. Who speaks
    /// none of these languages hears those in the campaign's.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    messages: Field<BTreeMap<String, String>>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// What a voicemail hears, if it is given.
pub(super) fn voicemail(
    field: Field<NewVoicemailBody>,
    checks: &mut Checks,
) -> Option<VoicemailPolicy> {
    checks.optional("voicemail", field)?.read(checks)
}

impl NewVoicemailBody {
    fn read(self, checks: &mut Checks) -> Option<VoicemailPolicy> {
        for (field, _) in self.unknown {
            checks.wrong(format!("voicemail.{field}"), "unknown field");
        }
        let policy = checks.required("voicemail.policy", self.policy);
        let given = checks.optional("voicemail.messages", self.messages);
        let mut messages = BTreeMap::new();
        for (code, words) in given.clone().unwrap_or_default() {
            match code.parse::<Language>() {
                Ok(language) => {
                    messages.insert(language, words);
                }
                Err(error) => {
                    checks.wrong(format!("voicemail.messages.{code}"), error.to_string());
                }
            }
        }
        match policy?.as_str() {
            LEAVE_MESSAGE => Some(VoicemailPolicy::LeaveMessage { messages }),
            HANG_UP => {
                if given.is_some() {
                    let message = format!("only go with the policy {LEAVE_MESSAGE}");
                    checks.wrong("voicemail.messages", message);
                }
                Some(VoicemailPolicy::HangUp)
            }
            other => {
                let message = format!("unknown policy '{other}': use {HANG_UP} or {LEAVE_MESSAGE}");
                checks.wrong("voicemail.policy", message);
                None
            }
        }
    }
}

impl FromJson for NewVoicemailBody {
    fn from_json(value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("must be an object".to_owned());
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

/// What a voicemail hears.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VoicemailBody {
    /// `hang_up` or `leave_message`.
    policy: &'static str,
    /// The words by language code.
    #[schema(value_type = BTreeMap<String, String>)]
    messages: BTreeMap<Language, String>,
}

impl From<VoicemailPolicy> for VoicemailBody {
    fn from(policy: VoicemailPolicy) -> Self {
        match policy {
            VoicemailPolicy::HangUp => Self {
                policy: HANG_UP,
                messages: BTreeMap::new(),
            },
            VoicemailPolicy::LeaveMessage { messages } => Self {
                policy: LEAVE_MESSAGE,
                messages,
            },
        }
    }
}
