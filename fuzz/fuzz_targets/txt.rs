#![no_main]
//! Any bytes as txt.

libfuzzer_sys::fuzz_target!(|content: &[u8]| voicesurvey_fuzz::txt(content));
