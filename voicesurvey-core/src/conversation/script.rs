//! Script.
/// Script.
#[derive(Debug)]
pub struct Script;
