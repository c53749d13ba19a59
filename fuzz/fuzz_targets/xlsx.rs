#![no_main]
//! Any bytes as xlsx.

libfuzzer_sys::fuzz_target!(|content: &[u8]| voicesurvey_fuzz::xlsx(content));
