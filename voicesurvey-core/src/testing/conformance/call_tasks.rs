//! Cases are being written.
