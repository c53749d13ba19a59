//! Trying an account and a server before anybody is interviewed: a webhook that changes nothing, and a
//! call that says one sentence.

use voicesurvey_core::language::Language;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{PlaceCallError, Placed, WebhookError, WebhookReply, WebhookRequest};

use crate::parameters::Parameters;
use crate::provider::{TwilioProvider, language_of, placed};
use crate::urls::Endpoint;
use crate::webhook::SIGNATURE;

/// How long the telephone rings, and how long the call may last, in seconds.
const RINGS: &str = "30";
const LASTS: &str = "60";

impl TwilioProvider {
    /// A webhook as Twilio signs and sends it, which changes nothing: for whoever wants to know whether
    /// webhooks arrive at the public URL as they were sent. It is answered with a document; without
    /// its signature, or if anything of it was changed on the way, with 403.
    pub fn check_request(&self) -> WebhookRequest {
        let url = self.urls.check(Language::En);
        // What proxies and readers of forms like to change.
        let form = [
            ("FromCity", ""),
            ("SpeechResult", "Sì, perché no? 1+1 & \"2\""),
        ];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&form)
            .finish();
        // OK because a provider has a token from the beginning.
        let signature = self.signatures.sign(&url, &Parameters(form.to_vec()));
        let content_type = "application/x-www-form-urlencoded; charset=UTF-8";
        WebhookRequest {
            endpoint: Endpoint::Check.name().to_owned(),
            url,
            headers: vec![
                (SIGNATURE.to_owned(), signature.unwrap_or_default()),
                ("content-type".to_owned(), content_type.to_owned()),
            ],
            body: body.into_bytes(),
        }
    }

    /// Where our server says the goodbye to whoever asks.
    pub fn goodbye_url(&self) -> String {
        self.urls.trial_fallback(Language::En)
    }

    /// Calls somebody who knows of it, says one sentence and hangs up. What is said is asked of our
    /// own server, by a webhook that Twilio signs; if that fails, the goodbye is said instead.
    ///
    /// No store knows of the call: whoever places it asks for it by its name.
    pub async fn place_trial_call(
        &self,
        number: &PhoneNumber,
        language: Language,
    ) -> Result<Placed, PlaceCallError> {
        let post = || "POST".to_owned();
        let form = vec![
            ("To", number.to_string()),
            ("From", self.settings.caller_id.to_string()),
            ("Url", self.urls.check(language)),
            ("Method", post()),
            ("FallbackUrl", self.urls.trial_fallback(language)),
            ("FallbackMethod", post()),
            ("Timeout", RINGS.to_owned()),
            ("TimeLimit", LASTS.to_owned()),
        ];
        let url = self.client.url(&["Calls.json"]);
        let response = self.client.post(url, &form).await?;
        placed(&response, number)
    }

    /// Believes the webhook of a trial, and tells what is said.
    pub(crate) fn read_check(
        &self,
        request: &WebhookRequest,
    ) -> Result<WebhookReply, WebhookError> {
        self.verify(request)?;
        let language = language_of(request);
        Ok(self.writer.sentence(language, sentence(language)))
    }
}

/// What a trial call says.
const fn sentence(language: Language) -> &'static str {
    match language {
        Language::It => {
            "Questa è una chiamata di prova del nostro sistema di interviste. Tutto funziona. \
             Arrivederci."
        }
        Language::En => "This is a test call of our survey system. Everything works. Goodbye.",
        Language::Ru => "Это пробный звонок нашей системы опросов. Всё работает. До свидания.",
        Language::Es => {
            "Esta es una llamada de prueba de nuestro sistema de encuestas. Todo funciona. Adiós."
        }
        Language::Fr => {
            "Ceci est un appel d'essai de notre système d'enquêtes. Tout fonctionne. Au revoir."
        }
        Language::De => {
            "Dies ist ein Testanruf unseres Umfragesystems. Alles funktioniert. Auf Wiederhören."
        }
    }
}
