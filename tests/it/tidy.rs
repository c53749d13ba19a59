//! The source itself is tested: sizes, arrows between crates, documents and forbidden words.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Longer files are hard to understand in five minutes.
const LONGEST_FILE: usize = 500;

/// Which crates of the workspace each may depend on, outside tests. Arrows point one way.
const ARROWS: &[(&str, &[&str])] = &[
    ("voicesurvey-core", &[]),
    ("voicesurvey-files", &["voicesurvey-core"]),
    ("voicesurvey-llm", &["voicesurvey-core"]),
    ("voicesurvey-postgres", &["voicesurvey-core"]),
    ("voicesurvey-simulator", &["voicesurvey-core"]),
    ("voicesurvey-sqlite", &["voicesurvey-core"]),
    ("voicesurvey-twilio", &["voicesurvey-core"]),
    (
        "voicesurvey-server",
        &[
            "voicesurvey-core",
            "voicesurvey-files",
            "voicesurvey-llm",
            "voicesurvey-postgres",
            "voicesurvey-simulator",
            "voicesurvey-sqlite",
            "voicesurvey-twilio",
        ],
    ),
];

/// What must not reach a crate, because its work is done elsewhere.
const BANNED: &[(&str, &[&str])] = &[
    (
        "voicesurvey-core",
        &["sqlx", "axum", "reqwest", "polars", "tokio", "sea-query"],
    ),
    ("voicesurvey-files", &["sqlx", "axum", "reqwest", "tokio"]),
    ("voicesurvey-llm", &["sqlx", "axum", "polars"]),
    (
        "voicesurvey-simulator",
        &["sqlx", "axum", "reqwest", "tokio"],
    ),
    ("voicesurvey-postgres", &["axum", "reqwest"]),
    ("voicesurvey-sqlite", &["axum", "reqwest"]),
    ("voicesurvey-twilio", &["sqlx", "axum", "polars"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of ours, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            path.is_dir()
                && (name.starts_with("voicesurvey-")
                    || ["src", "tests", "examples", "benches"].contains(&name.as_str()))
        })
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 50, "the sources were found");
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn dependencies(name: &str) -> BTreeMap<String, toml::Value> {
    let text = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let table = manifest.get("dependencies").and_then(toml::Value::as_table);
    table
        .map(|table| table.clone().into_iter().collect())
        .unwrap_or_default()
}

#[test]
fn arrows_between_crates_point_one_way() {
    for (name, allowed) in ARROWS {
        let ours: BTreeSet<String> = dependencies(name)
            .into_keys()
            .filter(|key| key.starts_with("voicesurvey"))
            .collect();
        let allowed: BTreeSet<String> = allowed.iter().map(|&name| name.to_owned()).collect();
        assert!(
            ours.is_subset(&allowed),
            "{name} depends on {:?}",
            ours.difference(&allowed)
        );
    }
}

#[test]
fn every_crate_of_the_workspace_has_its_arrows() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let members: BTreeSet<&str> = manifest["workspace"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(members, known);
}

#[test]
fn no_crate_uses_what_belongs_elsewhere() {
    for (name, banned) in BANNED {
        let dependencies = dependencies(name);
        for library in *banned {
            assert!(
                !dependencies.contains_key(*library),
                "{name} depends on {library}"
            );
        }
    }
}

#[test]
fn no_file_is_longer_than_a_stranger_can_read() {
    let long: Vec<String> = sources()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .map(|(path, lines)| format!("{} has {lines} lines", shown(path)))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| path.file_name().is_some_and(|name| name != "tests.rs"))
        .filter(|(_, text)| !text.starts_with("//!") && !text.starts_with("#![doc"))
        .map(|(path, _)| shown(path))
        .collect();
    assert!(silent.is_empty(), "no module documentation: {silent:#?}");
}

#[test]
fn no_name_says_nothing() {
    let vague = ["Manager", "Helper", "Util", "Utils"];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for line in text.lines() {
            let Some(rest) = ["struct ", "enum ", "trait ", "mod "]
                .iter()
                .find_map(|keyword| {
                    line.trim_start()
                        .trim_start_matches("pub ")
                        .strip_prefix(keyword)
                })
            else {
                continue;
            };
            let name: String = rest
                .chars()
                .take_while(|letter| letter.is_alphanumeric())
                .collect();
            if vague.iter().any(|word| name.ends_with(word)) || name == "utils" || name == "helpers"
            {
                found.push(format!("{}: {name}", shown(&path)));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn time_is_never_asked_of_the_database() {
    let mut found = Vec::new();
    for folder in ["voicesurvey-postgres", "voicesurvey-sqlite"] {
        let mut folders = vec![
            root().join(folder).join("src"),
            root().join(folder).join("migrations"),
        ];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = fs::read_to_string(&path).unwrap_or_default().to_lowercase();
                    let code = text
                        .lines()
                        .filter(|line| !line.trim_start().starts_with("--"));
                    let code = code.filter(|line| !line.trim_start().starts_with("//"));
                    let asks = ["now()", "current_timestamp", "clock_timestamp("];
                    let ours = ["clock.now()", "instant::now()", "samples::now()"];
                    if code.into_iter().any(|line| {
                        let contains =
                            |words: &[&str]| words.iter().any(|word| line.contains(word));
                        contains(&asks) && !contains(&ours)
                    }) {
                        found.push(shown(&path));
                    }
                }
            }
        }
    }
    // The clock itself follows the database's.
    found.retain(|path| path != "voicesurvey-postgres/src/clock.rs");
    assert!(found.is_empty(), "take the time from the clock: {found:#?}");
}

#[test]
fn documents_link_to_files_that_exist() {
    let mut documents = vec![root().join("docs")];
    let mut files: Vec<PathBuf> = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "GLOSSARY.md",
    ]
    .map(|name| root().join(name))
    .into();
    while let Some(folder) = documents.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                documents.push(path);
            } else {
                files.push(path);
            }
        }
    }
    let mut broken = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "md"))
    {
        let text = fs::read_to_string(file).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("::") || target.contains("://") {
                continue;
            }
            if !file.parent().unwrap().join(target).exists() {
                broken.push(format!("{} -> {link}", shown(file)));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
