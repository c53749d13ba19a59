//! Reads a call list to its end and says what was found: `read_call_list FILE [REGION]`.

use std::fs::File;

use anyhow::Context as _;
use voicesurvey_core::phone_number::Region;
use voicesurvey_files::call_list::{CallListReader, ReadSettings};

/// Errors that are shown.
const SHOWN: usize = 10;

#[expect(clippy::print_stdout, reason = "it is what the example is for")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().context("which file?")?;
    let region: Region = arguments.next().as_deref().unwrap_or("IT").parse()?;
    let reader = CallListReader::open(File::open(&path)?, &path, &ReadSettings::new(region))?;
    println!("{:#?}", reader.found());
    let (mut contacts, mut errors) = (0_u64, 0);
    for row in reader {
        match row?.contact(region) {
            Ok(_) => contacts += 1,
            Err(error) => {
                errors += 1;
                if errors <= SHOWN {
                    println!("{}: {:?}", error.message(), error.value);
                }
            }
        }
    }
    println!("{contacts} contacts, {errors} errors");
    Ok(())
}
