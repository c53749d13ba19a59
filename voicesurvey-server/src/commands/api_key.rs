//! `voicesurvey api-key …`.

use clap::{Args, Subcommand};
use serde_json::json;
use voicesurvey_core::api_key::Role;
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::service::{NewApiKey, ServiceError};

use super::{CommandError, ConfigOptions, print};

#[derive(Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Creates an API key and prints it. It is shown this once and kept nowhere.
    Create(CreateOptions),
}

#[derive(Args, Debug)]
pub(super) struct CreateOptions {
    /// The company, by its id.
    #[arg(long, value_name = "ID")]
    company: CompanyId,
    /// What the key's holder may do: admin, manager or viewer.
    #[arg(long)]
    role: Role,
    /// What people call the key [default: its role].
    #[arg(long)]
    name: Option<String>,
    /// Prints one JSON object: {"id": …, "key": …}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

pub(super) async fn run(command: ApiKeyCommand) -> Result<(), CommandError> {
    let ApiKeyCommand::Create(options) = command;
    let (companies, stores) = options.config.companies().await?;
    let new = NewApiKey {
        name: options
            .name
            .unwrap_or_else(|| options.role.name().to_owned()),
        role: options.role,
        expires_at: None,
    };
    let (key, secret) = companies.create_first_key(options.company, new).await?;
    stores.close().await.map_err(ServiceError::from)?;
    if options.json {
        print(&json!({ "id": key.id, "key": secret.reveal() }).to_string())
    } else {
        print(secret.reveal())
    }
}
