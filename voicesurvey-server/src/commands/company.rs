//! `voicesurvey company …`.

use clap::{Args, Subcommand};
use serde_json::json;
use voicesurvey_core::company::CompanyLimits;
use voicesurvey_core::language::Language;
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::service::{NewCompany, ServiceError};
use voicesurvey_core::time_zone::TimeZone;

use super::{CommandError, ConfigOptions, print};

#[derive(Debug, Subcommand)]
pub(super) enum CompanyCommand {
    /// Creates a company and prints its id.
    Create(CreateOptions),
}

#[derive(Args, Debug)]
pub(super) struct CreateOptions {
    /// What people call it.
    #[arg(long)]
    name: String,
    /// The time zone of its office, by its IANA name.
    #[arg(long, value_name = "ZONE", default_value = "Europe/Rome")]
    time_zone: TimeZone,
    /// The country in which numbers without a country code are read.
    #[arg(long, value_name = "COUNTRY", default_value = "IT")]
    region: Region,
    /// The language of its campaigns, unless they choose another.
    #[arg(long, value_name = "LANGUAGE", default_value = "it")]
    language: Language,
    /// Prints one JSON object: {"id": …}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

pub(super) async fn run(command: CompanyCommand) -> Result<(), CommandError> {
    let CompanyCommand::Create(options) = command;
    let (companies, stores) = options.config.companies().await?;
    let company = companies
        .create(NewCompany {
            name: options.name,
            time_zone: options.time_zone,
            region: options.region,
            language: options.language,
            limits: CompanyLimits::default(),
        })
        .await?;
    stores.close().await.map_err(ServiceError::from)?;
    if options.json {
        print(&json!({ "id": company.id }).to_string())
    } else {
        print(&company.id.to_string())
    }
}
