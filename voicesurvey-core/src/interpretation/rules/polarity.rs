//! Yes or no.
//!
//! Phrases are matched from left to right, the longest first, so that "no problem" is a yes and
//! "of course not" is a no. What is said both ways stays open: consent needs an unmistakable yes.

use super::lexicon::{Meaning, Stem};
use super::reading::{Hit, Reading};

/// What a yes-or-no question was answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Polarity {
    pub(super) is_yes: bool,
    /// How many meaningful words belong to no yes and no no.
    pub(super) unexplained: usize,
    /// Something was said the other way as well, but less clearly.
    pub(super) mixed: bool,
    /// Where the first yes or no ends.
    pub(super) first_end: usize,
}

#[derive(Clone, Copy, Debug)]
struct Vote {
    is_yes: bool,
    start: usize,
    end: usize,
}

/// Which phrases are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    /// Those that mean yes or no in any sentence.
    Plain,
    /// Also those that mean it only if nothing else is said.
    Alone,
}

/// Reads a yes or a no, if it is clear which.
pub(super) fn find(reading: &Reading) -> Option<Polarity> {
    let plain = votes(reading, Counted::Plain);
    if plain.is_empty() {
        return find_alone(reading);
    }
    let longest = |is_yes: bool| {
        plain
            .iter()
            .filter(|vote| vote.is_yes == is_yes)
            .map(|vote| vote.end - vote.start)
            .max()
    };
    let (is_yes, mixed) = match (longest(true), longest(false)) {
        (Some(yes), Some(no)) if yes >= no + 2 => (true, true),
        (Some(yes), Some(no)) if no >= yes + 2 => (false, true),
        (Some(_), Some(_)) => return None,
        (yes, _) => (yes.is_some(), false),
    };
    Some(Polarity {
        is_yes,
        unexplained: unexplained(reading, &plain),
        mixed,
        first_end: first_end(&plain),
    })
}

fn find_alone(reading: &Reading) -> Option<Polarity> {
    let votes = votes(reading, Counted::Alone);
    let is_yes = votes.first()?.is_yes;
    let unanimous = votes.iter().all(|vote| vote.is_yes == is_yes);
    let nothing_else = unexplained(reading, &votes) == 0;
    (unanimous && nothing_else).then_some(Polarity {
        is_yes,
        unexplained: 0,
        mixed: false,
        first_end: first_end(&votes),
    })
}

fn first_end(votes: &[Vote]) -> usize {
    votes.first().map_or(0, |vote| vote.end)
}

fn unexplained(reading: &Reading, votes: &[Vote]) -> usize {
    let explained: usize = votes
        .iter()
        .map(|vote| reading.content_in(vote.start, vote.end))
        .sum();
    reading.content() - explained
}

fn votes(reading: &Reading, counted: Counted) -> Vec<Vote> {
    let mut votes: Vec<Vote> = Vec::new();
    let mut index = 0;
    while index < reading.text.len() {
        let vote = longest_at(reading, index, counted);
        // The `ja` of `na ja` and of `ja mei` is no yes.
        let hedge = reading.hit_at(Meaning::Hedge, index);
        if let Some(hedge) = hedge.filter(|hedge| vote.is_none_or(|vote| vote.end < hedge.end)) {
            index = hedge.end;
            continue;
        }
        let Some(mut vote) = vote else {
            index += 1;
            continue;
        };
        index = vote.end;
        if vote.is_yes {
            match negation_of(reading, &vote, counted) {
                Negated::No => {}
                Negated::Directly(start) => {
                    vote.is_yes = false;
                    // Spanish "no" has already voted by itself.
                    vote.start = votes.last().map_or(start, |before| before.end.max(start));
                }
                Negated::Somehow => continue,
            }
        }
        votes.push(vote);
    }
    votes
}

fn longest_at(reading: &Reading, start: usize, counted: Counted) -> Option<Vote> {
    let vote = |hit: &Hit| {
        if is_particle(reading, *hit) {
            return None;
        }
        let (is_yes, alone) = match hit.meaning {
            Meaning::Yes => (true, needs_an_edge(reading, *hit)),
            Meaning::YesAlone => (true, true),
            Meaning::No => (false, false),
            Meaning::NoAlone => (false, true),
            _ => return None,
        };
        let counts = !alone || counted == Counted::Alone;
        counts.then_some(Vote {
            is_yes,
            start: hit.start,
            end: hit.end,
        })
    };
    reading
        .hits_at(start)
        .iter()
        .filter_map(vote)
        .max_by_key(|vote| vote.end)
}

/// `Das ist ja interessant`, "I'm sure you are": inside a clause these agree to nothing.
fn is_particle(reading: &Reading, hit: Hit) -> bool {
    let text = &reading.text;
    if hit.len() > 1 || reading.hit_at(Meaning::Particle, hit.start).is_none() {
        return false;
    }
    let opens_clause = (0..=hit.start)
        .rev()
        .take_while(|&index| index == hit.start || reading.is(Stem::Interjection, index))
        .any(|index| text.starts_clause(index));
    let answers = [Meaning::Yes, Meaning::No];
    let is_beside_answer = answers.into_iter().any(|answer| {
        reading.follows(answer, hit.start) || reading.hit_at(answer, hit.end).is_some()
    });
    !opens_clause && !text.starts_clause(hit.end) && !is_beside_answer
}

/// Without its accent, `si` is also the Italian "oneself" and the Spanish "if": then it is a yes
/// only where a clause ends after it or another answer follows.
fn needs_an_edge(reading: &Reading, hit: Hit) -> bool {
    let is_answer = |other: &Hit| {
        matches!(
            other.meaning,
            Meaning::Yes | Meaning::YesAlone | Meaning::No | Meaning::Politeness
        )
    };
    let text = &reading.text;
    hit.len() == 1
        && text.word(hit.start) == "si"
        && !text.has_accent(hit.start)
        && !text.starts_clause(hit.end)
        && !reading.hits_at(hit.end).iter().any(is_answer)
}

enum Negated {
    No,
    /// From the negation on, it is a no.
    Directly(usize),
    /// No yes any more, but not clearly a no.
    Somehow,
}

fn negation_of(reading: &Reading, vote: &Vote, counted: Counted) -> Negated {
    let text = &reading.text;
    let is_negation = |index: usize| reading.hit_at(Meaning::Negation, index).is_some();
    let negated_before = |distance: usize| {
        vote.start
            .checked_sub(distance)
            .filter(|&index| is_negation(index) && !text.is_broken(index, vote.start))
            .filter(|&index| !is_part_of_yes(reading, index))
    };
    if let Some(index) = negated_before(1) {
        return Negated::Directly(index);
    }
    let negated_after = is_negation(vote.end)
        && !text.starts_clause(vote.end)
        && longest_at(reading, vote.end, counted).is_none();
    if negated_before(2).is_some() || negated_after {
        Negated::Somehow
    } else {
        Negated::No
    }
}

/// The negation of `non c'è problema` belongs to that yes and negates no other.
fn is_part_of_yes(reading: &Reading, index: usize) -> bool {
    reading.is_covered(Meaning::Yes, index)
}
