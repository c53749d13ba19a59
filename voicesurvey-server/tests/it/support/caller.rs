//! Somebody who talks to the server, and what the server answers.

use std::fmt;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::CAMPAIGN_OF_A;

/// Somebody with a token, or without one.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client,
    base_url: String,
    pub(crate) token: Option<String>,
}

/// What the server answered.
#[derive(Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Caller {
    pub(crate) fn new(client: Client, base_url: &str, token: Option<String>) -> Self {
        Self {
            client,
            base_url: base_url.to_owned(),
            token,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base_url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::DELETE, path)).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::PATCH, path).json(body)).await
    }

    /// Posts nothing.
    pub(crate) async fn post_nothing(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::POST, path)).await
    }

    /// Posts text that is said to be JSON, byte for byte.
    pub(crate) async fn post_json_text(&self, path: &str, body: impl Into<String>) -> Answer {
        let headers = [("content-type", "application/json")];
        self.post_raw(path, &headers, body.into().into_bytes())
            .await
    }

    /// Posts bytes.
    pub(crate) async fn post_raw(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let request = self.request(Method::POST, path).body(body);
        let with =
            |request: RequestBuilder, (name, value): &(&str, &str)| request.header(*name, *value);
        Answer::to(headers.iter().fold(request, with)).await
    }

    /// Uploads a file in the field `file`.
    pub(crate) async fn upload(
        &self,
        path: &str,
        file_name: &str,
        content: impl Into<Vec<u8>>,
    ) -> Answer {
        let file = Part::bytes(content.into()).file_name(file_name.to_owned());
        self.post_form(path, Form::new().part("file", file)).await
    }

    pub(crate) async fn post_form(&self, path: &str, form: Form) -> Answer {
        Answer::to(self.request(Method::POST, path).multipart(form)).await
    }

    /// Creates a campaign as A does, and returns its path.
    pub(crate) async fn create_campaign(&self) -> String {
        let answer = self.post_json_text("/api/campaigns", CAMPAIGN_OF_A).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.header("location").unwrap().to_owned()
    }

    /// Creates a campaign with these people, and returns its path.
    pub(crate) async fn create_campaign_with(&self, call_list: &str) -> String {
        let campaign = self.create_campaign().await;
        let answer = self
            .upload(
                &format!("{campaign}/contacts/upload"),
                "list.csv",
                call_list,
            )
            .await;
        assert_eq!(answer.status, 201, "{answer}");
        campaign
    }

    /// Sets the status of a campaign.
    pub(crate) async fn set_status(&self, campaign: &str, status: &str) -> Answer {
        let body = json!({ "status": status });
        self.post(&format!("{campaign}/status"), &body).await
    }
}

impl Answer {
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().into(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self}"))
    }

    /// What stands at a place of the body, such as `/items/0/name`.
    pub(crate) fn at(&self, pointer: &str) -> Value {
        let found = self.json().pointer(pointer).cloned();
        found.unwrap_or_else(|| panic!("nothing at {pointer} of {self}"))
    }

    /// The text that stands at a place of the body.
    pub(crate) fn text_at(&self, pointer: &str) -> String {
        let found = self.at(pointer);
        found
            .as_str()
            .unwrap_or_else(|| panic!("no text: {found}"))
            .to_owned()
    }

    /// The wrong fields, one in a line: `name: must not be empty`.
    pub(crate) fn wrong_fields(&self) -> String {
        let errors = self.at("/errors");
        let errors = errors.as_array().unwrap().iter();
        let line = |error: &Value| {
            let text = |key: &str| error[key].as_str().unwrap().to_owned();
            format!("{}: {}", text("field"), text("message"))
        };
        errors.map(line).collect::<Vec<_>>().join("\n")
    }

    /// The body without what differs between two runs or two requests.
    pub(crate) fn redacted(&self) -> String {
        redacted(&self.to_string())
    }
}

/// The status, the content type and the body, for people.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content_type = self.headers.get(CONTENT_TYPE);
        let content_type = content_type.map_or("-", |value| value.to_str().unwrap());
        write!(f, "{} {content_type}", self.status)?;
        let body = String::from_utf8_lossy(&self.body);
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(json) => write!(f, "\n{}", shown(&json)),
            Err(_) if body.is_empty() => Ok(()),
            Err(_) => write!(f, "\n{body}"),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// JSON for people: what fits into a line stands in one.
pub(crate) fn shown(json: &Value) -> String {
    const LONGEST_LINE: usize = 90;
    let line = json.to_string();
    let items: Vec<String> = match json {
        _ if line.len() <= LONGEST_LINE => return line,
        Value::Array(items) => items.iter().map(shown).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, value)| format!("\"{name}\": {}", shown(value)))
                .collect()
        }
        _ => return line,
    };
    let (start, end) = if json.is_array() {
        ('[', ']')
    } else {
        ('{', '}')
    };
    let items = items.join(",\n").replace('\n', "\n  ");
    format!("{start}\n  {items}\n{end}")
}

/// Replaces identifiers and instants.
pub(crate) fn redacted(text: &str) -> String {
    // `h` stands for a hexadecimal digit, `d` for a decimal one.
    let text = replace(text, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "[id]");
    let text = replace(&text, "SIMhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh", "SIM[id]");
    [
        "dddd-dd-ddTdd:dd:dd.ddddddZ",
        "dddd-dd-ddTdd:dd:dd.dddZ",
        "dddd-dd-ddTdd:dd:ddZ",
    ]
    .iter()
    .fold(text, |text, form| replace(&text, form, "[time]"))
}

fn replace(text: &str, form: &str, by: &str) -> String {
    let fits = |text: &str| {
        text.len() >= form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(found, wanted)| match wanted {
                    b'h' => found.is_ascii_hexdigit(),
                    b'd' => found.is_ascii_digit(),
                    _ => found == wanted,
                })
    };
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if fits(rest) {
            replaced.push_str(by);
            rest = &rest[form.len()..];
        } else {
            replaced.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    replaced
}
