//! What people say when they are asked when to call again, and what it means on a Saturday at
//! 11:48: 2026-11-21 in Rome.

use super::{NOW, on_the_wall};
use crate::language::Language;

/// One phrase a line: language, words, and month-day hour:minute, or `-` for no time.
const PHRASES: &str = include_str!("phrases.tsv");
const FEWEST_PHRASES: usize = 40;

#[test]
fn what_people_say_names_the_time_they_mean() {
    let mut missed = Vec::new();
    for language in Language::ALL {
        let mut count = 0;
        for (words, meant) in phrases(language) {
            let understood = on_the_wall(language, words, NOW);
            let understood = understood.as_deref().map_or("-", |time| &time[5..]);
            if understood != meant {
                missed.push(format!(
                    "{language} {words}: {understood} instead of {meant}"
                ));
            }
            count += 1;
        }
        assert!(
            count >= FEWEST_PHRASES,
            "{language} has only {count} phrases"
        );
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

fn phrases(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    PHRASES.lines().filter_map(move |line| {
        let mut columns = line.split('\t');
        let is_ours = columns.next()? == language.code();
        is_ours.then(|| Some((columns.next()?, columns.next()?)))?
    })
}
