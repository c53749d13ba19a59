#![no_main]
//! Any bytes as csv.

#[path = "../src/without_chance.rs"]
mod without_chance;

libfuzzer_sys::fuzz_target!(|content: &[u8]| voicesurvey_fuzz::csv(content));
