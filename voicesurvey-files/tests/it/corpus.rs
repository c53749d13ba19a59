//! What people really upload, and what must become of it: each file of `tests/data/call-lists` has
//! its expectation beside it.
//!
//! With `UPDATE_EXPECTATIONS=1` the expectations are written anew, to be read before they are
//! committed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use voicesurvey_core::call_list::CallListRow;
use voicesurvey_core::phone_number::Region;
use voicesurvey_files::call_list::{CallListReader, Found, ReadSettings, Role};

/// Rows that an expectation spells out.
const SHOWN: usize = 15;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/call-lists")
}

/// Every file of the corpus, by name.
pub(crate) fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            let beside = [".expect.json", ".mapping.json", ".py"];
            !beside.iter().any(|end| name.ends_with(end))
        })
        .collect();
    files.sort();
    files
}

/// The region of whoever made the list.
pub(crate) fn region(path: &Path) -> Region {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    [
        ("russian", Region::RU),
        ("german", Region::DE),
        ("french", Region::FR),
        ("spanish", Region::ES),
        ("english", Region::US),
        ("cp1251", Region::RU),
    ]
    .into_iter()
    .find(|(part, _)| name.contains(part))
    .map_or(Region::IT, |(_, region)| region)
}

/// Which column holds what, if that is said beside the file.
fn mapping(path: &Path) -> BTreeMap<Role, String> {
    let mut beside = path.to_owned().into_os_string();
    beside.push(".mapping.json");
    let Ok(mapping) = fs::read(beside) else {
        return BTreeMap::new();
    };
    let mapping: BTreeMap<String, String> = serde_json::from_slice(&mapping).unwrap();
    mapping
        .into_iter()
        .map(|(role, column)| (role.parse().unwrap(), column))
        .collect()
}

fn found_json(found: &Found) -> Value {
    let columns = found.columns.iter().map(|column| {
        let role = column.role.map_or("kept", |role| role.name());
        let by = column.found_by.map_or("", |found_by| found_by.name());
        format!(
            "{}: {} ({role}{}{by})",
            column.letter,
            column.name,
            if by.is_empty() { "" } else { " by " }
        )
    });
    let others = found
        .other_sheets
        .iter()
        .map(|sheet| format!("{} ({})", sheet.name, sheet.reason));
    json!({
        "format": found.format.name(),
        "encoding": found.encoding,
        "delimiter": found.delimiter,
        "sheet": found.sheet,
        "other_sheets": others.collect::<Vec<_>>(),
        "rows_above_header": found.rows_above_header,
        "header_row": found.header_row,
        "columns": columns.collect::<Vec<_>>(),
    })
}

fn row_json(row: &CallListRow, region: Region) -> Value {
    match row.contact(region) {
        Err(error) => {
            json!({ "error": error.message(), "column": error.column, "value": error.value })
        }
        Ok(contact) => {
            let mut shown = json!({
                "row": row.row,
                "phone_number": contact.phone_number,
                "name": contact.name,
            });
            if let Some(language) = contact.language {
                shown["language"] = json!(language);
            }
            if !row.time_zone.is_empty() {
                shown["time_zones"] = json!(contact.time_zones);
            }
            if contact.priority != 0 {
                shown["priority"] = json!(contact.priority);
            }
            if !contact.extra.is_empty() {
                // Long texts are told by their length and their end.
                let extra = contact.extra.iter().map(|(name, text)| {
                    let length = text.chars().count();
                    let end = text
                        .chars()
                        .skip(length.saturating_sub(60))
                        .collect::<String>();
                    let text = if length > 60 {
                        format!("{length} characters: …{end}")
                    } else {
                        end
                    };
                    (name.clone(), json!(text))
                });
                shown["extra"] = Value::Object(extra.collect());
            }
            shown
        }
    }
}

fn outcome(path: &Path) -> Value {
    let region = region(path);
    let file = File::open(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy();
    let settings = ReadSettings {
        mapping: mapping(path),
        ..ReadSettings::new(region)
    };
    let reader = CallListReader::open(file, &name, &settings);
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => return json!({ "refused": error.to_string() }),
    };
    let found = found_json(reader.found());
    let mut rows = Vec::new();
    for row in reader {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => return json!({ "found": found, "refused": error.to_string() }),
        }
    }
    let shown: Vec<Value> = rows
        .iter()
        .take(SHOWN)
        .map(|row| row_json(row, region))
        .collect();
    json!({ "found": found, "count": rows.len(), "rows": shown })
}

#[test]
fn every_file_of_the_corpus_becomes_what_is_expected() {
    let files = files();
    assert!(files.len() >= 60, "{} files", files.len());
    let update = std::env::var_os("UPDATE_EXPECTATIONS").is_some();
    let mut wrong = Vec::new();
    for path in files {
        let mut expectation = path.clone().into_os_string();
        expectation.push(".expect.json");
        let outcome = serde_json::to_string_pretty(&outcome(&path)).unwrap() + "\n";
        if update {
            fs::write(&expectation, &outcome).unwrap();
        } else if fs::read_to_string(&expectation).unwrap_or_default() != outcome {
            wrong.push(format!("{}:\n{outcome}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_expectation_has_its_file() {
    let entries = fs::read_dir(folder()).unwrap();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let text = path.to_string_lossy().into_owned();
        let file = text.strip_suffix(".expect.json");
        if let Some(file) = file.or_else(|| text.strip_suffix(".mapping.json")) {
            assert!(Path::new(file).exists(), "{file}");
        }
    }
}
