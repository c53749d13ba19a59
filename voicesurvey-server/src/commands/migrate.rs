//! `voicesurvey migrate`.

use clap::Args;

use super::{CommandError, ConfigOptions, print};
use crate::stores::{Migrated, Stores};

#[derive(Args, Debug)]
pub(super) struct MigrateOptions {
    #[command(flatten)]
    config: ConfigOptions,
}

/// Brings the schema up to date, and says whether there was anything to do.
pub(super) async fn run(options: MigrateOptions) -> Result<(), CommandError> {
    let config = options.config.load(None)?.config;
    let url = &config.database.url;
    match Stores::migrate(&config.database).await? {
        Migrated::Changed => print(&format!("The database {url} was migrated and is ready.")),
        Migrated::UpToDate => print(&format!("The database {url} is up to date.")),
    }
}
