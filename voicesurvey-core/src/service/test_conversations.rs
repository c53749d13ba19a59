//! Conversations without a telephone: a campaign can be tried before anybody is called.
//!
//! They count nowhere: nothing is stored, nobody is excluded.
