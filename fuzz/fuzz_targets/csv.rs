#![no_main]
//! Any bytes as csv.

libfuzzer_sys::fuzz_target!(|content: &[u8]| voicesurvey_fuzz::csv(content));
