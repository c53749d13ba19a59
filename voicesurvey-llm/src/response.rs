//! What a server sends back, down to the text that the model wrote.
//!
//! Servers differ in what surrounds it, so everything that is not needed may be missing or new.

use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Value,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    finish_reason: Option<String>,
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
}

/// What a model wrote.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) content: String,
    pub(crate) finish_reason: Option<String>,
    /// How many tokens it took, with those of the question, if the server counts.
    pub(crate) tokens: Option<u64>,
}

/// Takes the text out of the body of a response.
pub(crate) fn reply(body: &[u8]) -> Result<Reply, Failure> {
    let completion: Completion = serde_json::from_slice(body).map_err(|_| Failure::Unreadable)?;
    let tokens = completion.usage["total_tokens"].as_u64();
    let choice = completion
        .choices
        .into_iter()
        .next()
        .ok_or(Failure::Empty)?;
    let is_text = |text: &Option<String>| text.as_ref().is_some_and(|it| !it.trim().is_empty());
    if is_text(&choice.message.refusal) {
        return Err(Failure::Refused);
    }
    match choice.finish_reason.as_deref() {
        Some("length") => return Err(Failure::Truncated),
        Some("content_filter") => return Err(Failure::Refused),
        _ => {}
    }
    let content = choice.message.content;
    if !is_text(&content) {
        return Err(Failure::Empty);
    }
    Ok(Reply {
        content: content.unwrap_or_default(),
        finish_reason: choice.finish_reason,
        tokens,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<Reply, Failure> {
        reply(body.to_string().as_bytes())
    }

    #[test]
    fn what_is_not_needed_may_be_missing_or_new() {
        let whole = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "logprobs": null, "message":
                {"role": "assistant", "content": "{}", "refusal": null, "reasoning_content": "hm"}}],
            "usage": {"prompt_tokens": 210, "completion_tokens": 22, "total_tokens": 232, "more": {}},
            "system_fingerprint": "f",
        });
        let expected = Reply {
            content: "{}".to_owned(),
            finish_reason: Some("stop".to_owned()),
            tokens: Some(232),
        };
        assert_eq!(read(&whole), Ok(expected));
        let bare = json!({"choices": [{"message": {"content": "{}"}}], "usage": null});
        assert_eq!(read(&bare).map(|reply| reply.content), Ok("{}".to_owned()));
    }

    #[test]
    fn a_reply_without_an_answer_is_told_from_one_that_cannot_be_read() {
        let message = |message: Value| json!({"choices": [{"message": message}]});
        for (body, failure) in [
            (json!({}), Failure::Empty),
            (json!({"choices": []}), Failure::Empty),
            (message(json!({"content": null})), Failure::Empty),
            (message(json!({"content": "  "})), Failure::Empty),
            (message(json!({})), Failure::Empty),
            (
                message(json!({"content": "{}", "refusal": "I cannot"})),
                Failure::Refused,
            ),
            (message(json!({"content": ["{}"]})), Failure::Unreadable),
            (json!({"choices": [{"message": null}]}), Failure::Unreadable),
            (json!({"error": {"message": "no"}}), Failure::Empty),
            (json!("hello"), Failure::Unreadable),
        ] {
            assert_eq!(read(&body), Err(failure), "{body}");
        }
        assert_eq!(reply(b"<html>"), Err(Failure::Unreadable));
        assert_eq!(reply(b"\xff"), Err(Failure::Unreadable));
    }

    #[test]
    fn an_answer_that_was_cut_off_is_none() {
        for (reason, expected) in [
            ("length", Err(Failure::Truncated)),
            ("content_filter", Err(Failure::Refused)),
            ("stop", Ok("{}".to_owned())),
            ("tool_calls", Ok("{}".to_owned())),
        ] {
            let choice = json!({"finish_reason": reason, "message": {"content": "{}"}});
            let read = read(&json!({"choices": [choice]}));
            assert_eq!(read.map(|reply| reply.content), expected, "{reason}");
        }
    }
}
