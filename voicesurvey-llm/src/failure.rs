//! Why a model gave no reading.

/// Why there is no reading of a model. In every case the rules decide alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The deadline came first.
    #[error("no answer within the deadline")]
    TimedOut,
    /// No connection, or it broke.
    #[error("the server cannot be reached")]
    Unreachable,
    /// The server answered with this status.
    #[error("the server answers with status {0}")]
    Status(u16),
    /// More came than any answer takes.
    #[error("the answer is too long")]
    TooLong,
    /// The model was cut off.
    #[error("the answer was cut off")]
    Truncated,
    /// The model would not answer.
    #[error("the model refuses")]
    Refused,
    /// There is nothing in the answer.
    #[error("the answer is empty")]
    Empty,
    /// The answer is no JSON.
    #[error("the answer cannot be read")]
    Unreadable,
    /// The answer is JSON of another form.
    #[error("the answer has another form")]
    OutOfSchema,
    /// The answer names a value that the question does not have.
    #[error("the answer is none that the question has")]
    Impossible,
    /// It failed so often that it is left alone for a while.
    #[error("it failed too often, and is left alone")]
    CircuitOpen,
    /// As many requests are under way as may be.
    #[error("too many requests are under way")]
    Busy,
    /// The model is not used, or it is not known yet how.
    #[error("the model is not in use")]
    Off,
}

impl Failure {
    /// Whether the server is to blame, and not what was said to it or how much we asked at once.
    pub(crate) const fn counts(self) -> bool {
        match self {
            Self::TimedOut
            | Self::Unreachable
            | Self::Status(_)
            | Self::TooLong
            | Self::Truncated
            | Self::Empty
            | Self::Unreadable
            | Self::OutOfSchema => true,
            Self::Refused | Self::Impossible | Self::CircuitOpen | Self::Busy | Self::Off => false,
        }
    }

    /// Whether it may pass by itself.
    pub(crate) const fn may_pass(self) -> bool {
        match self {
            Self::TimedOut | Self::Unreachable => true,
            Self::Status(status) => status == 429 || status >= 500,
            _ => false,
        }
    }

    /// Whether asking in another way is of no use.
    pub(crate) const fn is_about_the_server(self) -> bool {
        matches!(
            self,
            Self::TimedOut | Self::Unreachable | Self::Status(401 | 403 | 404 | 429)
        )
    }
}
