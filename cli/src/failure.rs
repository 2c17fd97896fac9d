//! Why a command did not do what was asked: one sentence, and an exit code.

/// The result of what a command does.
pub type Result<T> = std::result::Result<T, Failure>;

/// What is written to standard error before the process ends with
/// `exit_code`.
#[derive(Clone, Debug)]
pub struct Failure {
    /// One of [`crate::exit`].
    pub exit_code: u8,
    /// A sentence that says what is wrong and what to do about it. More lines
    /// may follow: a backtrace, a list.
    pub message: String,
}

impl Failure {
    /// A failure from its parts.
    pub fn new(exit_code: u8, message: impl Into<String>) -> Failure {
        Failure {
            exit_code,
            message: message.into(),
        }
    }
}
