//! Twilio behind the port: places calls, finds them, ends them, reads webhooks, writes TwiML.

use std::sync::Arc;

use async_trait::async_trait;
use voicesurvey_core::campaign;
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::language::Language;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    CallOptions, CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed,
    ProviderError, TelephonyProvider, UnconfirmedCall, Webhook, WebhookError, WebhookReply,
    WebhookRequest,
};
use voicesurvey_core::time::{Clock, Timestamp};

use crate::absences::Absences;
use crate::call_record::CallRecord;
use crate::call_request;
use crate::client::{Client, Response, SendError};
use crate::failure::{Class, Refusal};
use crate::parameters::Parameters;
use crate::settings::{Detection, ListenUntil, MachineDetection, SettingsError, TwilioSettings};
use crate::signature::Signatures;
use crate::twiml::TwimlWriter;
use crate::urls::{self, Endpoint, WebhookUrls};
use crate::webhook::Signed;

/// Twilio Programmable Voice. It needs a runtime of tokio.
#[derive(Debug)]
pub struct TwilioProvider {
    pub(crate) settings: TwilioSettings,
    pub(crate) client: Client,
    pub(crate) urls: WebhookUrls,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) absences: Absences,
    pub(crate) signatures: Signatures,
    pub(crate) writer: TwimlWriter,
}

impl TwilioProvider {
    /// A provider, if nothing is wrong with the settings.
    pub fn new(settings: TwilioSettings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        settings.check()?;
        let urls = WebhookUrls::new(&settings.public_url);
        Ok(Self {
            client: Client::new(&settings)?,
            signatures: Signatures::new(settings.webhook_tokens.clone()),
            writer: TwimlWriter::new(&settings, urls.clone()),
            absences: Absences::default(),
            urls,
            clock,
            settings,
        })
    }

    /// How Twilio is reached.
    pub const fn settings(&self) -> &TwilioSettings {
        &self.settings
    }

    /// How machines are told from people in this call, with the figures of the settings. Only where
    /// a message may be left the greeting of a voicemail is waited for.
    fn detection(&self, options: &CallOptions) -> MachineDetection {
        let settings = self.settings.machine_detection;
        let figures = settings.detection().unwrap_or(&self.settings.detection);
        let way = match options.machine_detection {
            None => settings,
            Some(campaign::MachineDetection::Off) => MachineDetection::Off,
            Some(campaign::MachineDetection::Synchronous) => MachineDetection::Sync(*figures),
            Some(campaign::MachineDetection::Asynchronous) => MachineDetection::Async(*figures),
        };
        match way {
            MachineDetection::Sync(detection) if options.leaves_message => {
                MachineDetection::Sync(Detection {
                    until: ListenUntil::GreetingEnds,
                    ..detection
                })
            }
            way => way,
        }
    }

    /// The document for when ours cannot be had: a goodbye. The same for every call, so it can be
    /// served without a store and to whoever asks.
    pub fn fallback_document(&self, language: Language) -> WebhookReply {
        self.writer.fallback(language)
    }

    /// What is said if Twilio could not ask what is to be said, in the language that the URL names.
    /// Whoever reports a failure may read it: it says nothing of anybody, and a person who waits is
    /// not to hear nothing because a signature is wrong. Only what Twilio itself reports is noted: the
    /// call ends because of us, and not because the person hung up.
    fn goodbye(&self, request: &WebhookRequest, now: Timestamp) -> Webhook {
        let reply = self.fallback_document(language_of(request));
        match self.verify(request).and_then(|signed| signed.given_up(now)) {
            Ok(event) => Webhook::GivenUp { event, reply },
            Err(error) => {
                tracing::debug!(%error, "somebody asks for the fallback document");
                Webhook::Document(reply)
            }
        }
    }

    /// A call as Twilio shows it; `None` if it shows none of that name, which so soon after it was
    /// placed proves nothing.
    pub(crate) async fn record(&self, sid: &str) -> Result<Option<CallRecord>, ProviderError> {
        let url = self.client.url(&["Calls", &format!("{sid}.json")]);
        let response = self.client.get(url).await.map_err(unanswered)?;
        if response.is_success() {
            let record = CallRecord::read(&response.body);
            return record.map(Some).ok_or_else(|| ProviderError {
                what: "the answer of Twilio is no call".to_owned(),
            });
        }
        match Refusal::read(&response, None).class {
            Class::Missing => Ok(None),
            _ => Err(refused(&response)),
        }
    }

    pub(crate) fn verify(&self, request: &WebhookRequest) -> Result<Signed, WebhookError> {
        Signed::verify(request, &self.signatures, &self.urls)
    }

    async fn update_status(
        &self,
        call: &CallReference,
        status: &str,
    ) -> Result<Response, ProviderError> {
        let url = self
            .client
            .url(&["Calls", &format!("{}.json", sid_of(call)?)]);
        let form = vec![("Status", status.to_owned())];
        let response = self.client.post(url, &form).await.map_err(unanswered)?;
        done(&response, &[Class::Ended])?;
        Ok(response)
    }
}

#[async_trait]
impl TelephonyProvider for TwilioProvider {
    fn name(&self) -> &'static str {
        crate::NAME
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        let options = &order.options;
        let caller_id = options.caller_id.unwrap_or(self.settings.caller_id);
        if !self.settings.allows(order.company_id, &caller_id) {
            return Err(PlaceCallError::Configuration {
                code: "caller_id".to_owned(),
                what: format!("the company may not show {caller_id}"),
            });
        }
        let form = call_request::form(order, &caller_id, &self.detection(options), &self.urls);
        let url = self.client.url(&["Calls.json"]);
        let response = self.client.post(url, &form).await?;
        placed(&response, &order.phone_number)
    }

    /// Without Twilio's name of the call the answer is `Unknown`: then it is
    /// [`find_unconfirmed_call`](Self::find_unconfirmed_call) that finds it.
    async fn find_call(&self, call: &CallReference) -> Result<FoundCall, ProviderError> {
        let Ok(sid) = sid_of(call) else {
            return Ok(FoundCall::Unknown);
        };
        let now = self.clock.now();
        let record = self.record(sid).await?;
        Ok(
            record.map_or(FoundCall::Unknown, |record| FoundCall::Found {
                events: record.events(call, now),
            }),
        )
    }

    async fn find_unconfirmed_call(
        &self,
        sought: &UnconfirmedCall,
    ) -> Result<FoundCall, ProviderError> {
        self.search(sought).await
    }

    /// Twilio tells nothing of a call that was still queued.
    async fn cancel(&self, call: &CallReference) -> Result<Cancellation, ProviderError> {
        let response = self.update_status(call, "canceled").await?;
        // A refusal says that it had ended; what was taken may have come too late.
        let status = CallRecord::read(&response.body).and_then(|record| record.status);
        Ok(match status.as_deref() {
            _ if !response.is_success() => Cancellation::Over,
            Some("canceled" | "completed" | "busy" | "no-answer" | "failed") => Cancellation::Over,
            _ => Cancellation::GoesOn,
        })
    }

    async fn hang_up(&self, call: &CallReference) -> Result<(), ProviderError> {
        self.update_status(call, "completed").await.map(drop)
    }

    /// Sent twice it records twice, so a request without an answer is not to be sent again.
    async fn start_recording(&self, call: &CallReference) -> Result<String, ProviderError> {
        self.record_call(call).await
    }

    async fn erase_recording(&self, provider_recording_id: &str) -> Result<(), ProviderError> {
        self.delete_recording(provider_recording_id).await
    }

    /// Twilio finds out what a call has cost some while after its end, and tells it to who asks. It
    /// is the charge for the line alone: the recogniser, the voices, recordings and the detection of
    /// machines are charged apart.
    fn prices_are_asked_for(&self) -> bool {
        true
    }

    fn read_webhook(
        &self,
        request: &WebhookRequest,
        now: Timestamp,
    ) -> Result<Webhook, WebhookError> {
        match Endpoint::from_name(&request.endpoint) {
            Some(Endpoint::Fallback) => Ok(self.goodbye(request, now)),
            Some(Endpoint::Check) => self.read_check(request).map(Webhook::Document),
            _ => self.verify(request)?.read(now),
        }
    }

    fn write_reply(&self, call: &CallReference, reply: &VoiceReply) -> WebhookReply {
        self.writer.reply(call, reply)
    }
}

/// The call that Twilio took, or why it did not.
pub(crate) fn placed(response: &Response, number: &PhoneNumber) -> Result<Placed, PlaceCallError> {
    if !response.is_success() {
        return Err(Refusal::read(response, Some(number)).of_call());
    }
    let record = CallRecord::read(&response.body).and_then(|record| record.sid);
    let provider_call_id = record.ok_or_else(|| PlaceCallError::Unknown {
        source: "Twilio took the call and does not name it".into(),
    })?;
    Ok(Placed { provider_call_id })
}

/// The language that the URL names.
pub(crate) fn language_of(request: &WebhookRequest) -> Language {
    let query = Parameters::decode(urls::query(&request.url).as_bytes());
    query.read("language").unwrap_or(Language::En)
}

/// Twilio's name of a call.
pub(crate) fn sid_of(call: &CallReference) -> Result<&str, ProviderError> {
    call.provider_call_id
        .as_deref()
        .ok_or_else(|| ProviderError {
            what: "Twilio's name of the call is not known yet".to_owned(),
        })
}

/// Whether a request to change something was carried out, or needs not be for one of these reasons.
pub(crate) fn done(response: &Response, needless: &[Class]) -> Result<(), ProviderError> {
    if response.is_success() || needless.contains(&Refusal::read(response, None).class) {
        return Ok(());
    }
    Err(refused(response))
}

/// What a refusal tells who asked.
pub(crate) fn refused(response: &Response) -> ProviderError {
    let Refusal { code, meaning, .. } = Refusal::read(response, None);
    ProviderError {
        what: format!("Twilio answers {} ({code}): {meaning}", response.status),
    }
}

/// What it tells who asked that there is no answer.
#[expect(clippy::needless_pass_by_value, reason = "is handed to map_err")]
pub(crate) fn unanswered(error: SendError) -> ProviderError {
    ProviderError {
        what: error.to_string(),
    }
}
