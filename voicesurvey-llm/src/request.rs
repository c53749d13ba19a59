//! The body of a request.

use serde_json::{Map, Value, json};
use voicesurvey_core::interpretation::Utterance;

use crate::settings::{ModelSettings, SchemaMode};
use crate::{prompt, schema};

/// What is sent for an utterance. What the operator adds may change how the model answers, and not
/// what it is asked.
pub(crate) fn body(
    settings: &ModelSettings,
    mode: SchemaMode,
    utterance: &Utterance,
    schema: &Value,
) -> Value {
    let in_prompt = (!mode.binds()).then_some(schema);
    let mut body = Map::new();
    body.insert("temperature".to_owned(), json!(0));
    body.insert(
        settings.token_field.name().to_owned(),
        json!(settings.max_tokens),
    );
    body.extend(settings.extra_body.clone());
    for name in ["n", "tools", "tool_choice"] {
        body.remove(name);
    }
    body.insert("model".to_owned(), json!(settings.model));
    body.insert("stream".to_owned(), json!(false));
    body.insert(
        "messages".to_owned(),
        json!([
            {"role": "system", "content": prompt::system(utterance, in_prompt)},
            {"role": "user", "content": prompt::user(utterance)},
        ]),
    );
    match response_format(mode, schema) {
        Some(format) => body.insert("response_format".to_owned(), format),
        None => body.remove("response_format"),
    };
    Value::Object(body)
}

fn response_format(mode: SchemaMode, schema: &Value) -> Option<Value> {
    match mode {
        SchemaMode::JsonSchema => Some(json!({
            "type": "json_schema",
            "json_schema": {"name": schema::NAME, "strict": true, "schema": schema},
        })),
        SchemaMode::JsonObjectSchema => Some(json!({"type": "json_object", "schema": schema})),
        SchemaMode::JsonObject => Some(json!({"type": "json_object"})),
        SchemaMode::Prompt => None,
    }
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::interpretation::Expected;
    use voicesurvey_core::language::Language;

    use super::*;

    fn sent(settings: &ModelSettings, mode: SchemaMode) -> Value {
        let utterance = Utterance {
            language: Language::En,
            expected: Expected::YesNo,
            words: "perhaps".to_owned(),
            question: "Do you agree?".to_owned(),
        };
        body(
            settings,
            mode,
            &utterance,
            &schema::with_intents(&schema::INTENTS),
        )
    }

    #[test]
    fn each_mode_asks_for_the_form_in_its_own_way() {
        let settings = ModelSettings::new("http://127.0.0.1:8080/v1", "m");
        let form = |mode| sent(&settings, mode)["response_format"].clone();
        let schema = schema::with_intents(&schema::INTENTS);
        assert_eq!(
            form(SchemaMode::JsonSchema)["json_schema"],
            json!({"name": "turn", "strict": true, "schema": schema})
        );
        assert_eq!(form(SchemaMode::JsonObjectSchema)["schema"], schema);
        assert_eq!(form(SchemaMode::JsonObject), json!({"type": "json_object"}));
        assert_eq!(form(SchemaMode::Prompt), Value::Null);
        for mode in SchemaMode::ALL {
            let sent = sent(&settings, mode);
            let format = &sent["response_format"];
            assert!(format["type"] != "json_schema" || format["schema"].is_null());
            let said = sent["messages"][0]["content"].as_str().unwrap();
            assert_eq!(said.contains("additionalProperties"), !mode.binds());
        }
    }

    #[test]
    fn what_the_operator_adds_cannot_change_what_is_asked() {
        let mut settings = ModelSettings::new("http://127.0.0.1:8080/v1", "m");
        settings.token_field = crate::TokenField::MaxCompletionTokens;
        let extra = json!({
            "chat_template_kwargs": {"enable_thinking": false}, "temperature": 0.2, "seed": 7, "model": "other",
            "stream": true, "messages": [], "response_format": {}, "n": 3, "tools": [],
        });
        settings.extra_body = extra.as_object().unwrap().clone();
        let sent = sent(&settings, SchemaMode::Prompt);
        let (messages, rest): (Vec<_>, Vec<_>) = sent
            .as_object()
            .unwrap()
            .iter()
            .partition(|(name, _)| *name == "messages");
        assert_eq!(messages[0].1.as_array().unwrap().len(), 2);
        let rest: Map<String, Value> = rest
            .into_iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        assert_eq!(
            Value::Object(rest),
            json!({
                "chat_template_kwargs": {"enable_thinking": false}, "temperature": 0.2, "model": "m",
                "stream": false, "max_completion_tokens": 120, "seed": 7,
            })
        );
    }
}
