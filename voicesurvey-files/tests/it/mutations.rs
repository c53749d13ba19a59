//! A bounded run of the fuzzer's targets, without a fuzzer: every file of the corpus, changed at
//! random places in the ways that find most.
//!
//! `MUTATIONS=5000` makes a longer run; a failure says the seed and the file.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{corpus, targets};

/// Changes of each file.
const MUTATIONS: u64 = 3;

/// A small source of chance: the same seed gives the same bytes everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
}

fn mutated(content: &[u8], chance: &mut Chance) -> Vec<u8> {
    const PIECES: [&[u8]; 16] = [
        b"\"",
        b";",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"<",
        b">",
        b"&#x0;",
        b"</row>",
        b"<c r=\"ZZZ9\">",
        b"1e999",
        b"\xd0",
        b"+",
        b"\xff\xff\xff\xff",
        b"<!--",
    ];
    let mut content = content.to_vec();
    for _ in 0..=chance.below(4) {
        let place = chance.below(content.len() + 1);
        match chance.below(5) {
            0 => content.truncate(place),
            1 => {
                let piece = PIECES[chance.below(PIECES.len())];
                content.splice(place..place, piece.iter().copied());
            }
            2 => {
                if let Some(byte) = content.get_mut(place) {
                    *byte ^= 1 << chance.below(8);
                }
            }
            3 => {
                let end = (place + chance.below(64)).min(content.len());
                let piece = content[place..end].repeat(1 + chance.below(8));
                content.splice(place..end, piece);
            }
            _ => {
                let end = (place + chance.below(64)).min(content.len());
                content.drain(place..end);
            }
        }
    }
    content
}

fn mutations() -> u64 {
    let wanted = std::env::var("MUTATIONS").ok();
    wanted
        .and_then(|wanted| wanted.parse().ok())
        .unwrap_or(MUTATIONS)
}

fn run(name: &str, content: &[u8], target: fn(&[u8])) {
    for seed in 1..=mutations() {
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let content = mutated(content, &mut chance);
        let result = catch_unwind(AssertUnwindSafe(|| target(&content)));
        assert!(result.is_ok(), "{name} with seed {seed}");
    }
}

#[test]
fn no_file_of_the_corpus_goes_wrong_however_it_is_damaged() {
    for path in corpus::files() {
        let content = fs::read(&path).unwrap();
        run(&path.display().to_string(), &content, targets::any_file);
    }
}

#[test]
fn no_text_goes_wrong_as_csv_or_as_lines() {
    for path in corpus::files() {
        let name = path.display().to_string();
        let is_text = |extension: &str| path.extension().is_some_and(|its| its == extension);
        if is_text("csv") || is_text("txt") {
            let content = fs::read(&path).unwrap();
            run(&name, &content, targets::csv);
            run(&name, &content, targets::txt);
        }
    }
}

#[test]
fn no_part_of_a_workbook_goes_wrong_however_it_is_damaged() {
    for (which, (name, part)) in (0_u8..).zip(targets::WORKBOOK) {
        let content = part.as_bytes();
        for seed in 1..=20 * mutations() {
            let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let content = [&[which], &*mutated(content, &mut chance)].concat();
            let result = catch_unwind(AssertUnwindSafe(|| targets::xlsx(&content)));
            assert!(result.is_ok(), "{name} with seed {seed}");
        }
    }
}
