//! Why a directive did not pass.

use std::fmt::Display;

/// What a directive expected, and what came instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub expected: String,
    pub got: String,
    pub cause: Cause,
}

/// Which kind of thing came instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A wrong result, or the wrong error.
    Wrong,
    /// The engine says that this build cannot do it yet.
    Unsupported,
    /// The engine panicked.
    Panic,
}

/// What checking a directive gives.
pub(crate) type Check<T = ()> = Result<T, Mismatch>;

impl Mismatch {
    pub(crate) fn wrong(expected: impl Display, got: impl Display) -> Self {
        Mismatch {
            expected: expected.to_string(),
            got: got.to_string(),
            cause: Cause::Wrong,
        }
    }

    pub(crate) fn unsupported(expected: impl Display, got: impl Display) -> Self {
        Mismatch {
            cause: Cause::Unsupported,
            ..Mismatch::wrong(expected, got)
        }
    }

    pub(crate) fn panic(expected: impl Display, message: &str) -> Self {
        Mismatch {
            cause: Cause::Panic,
            ..Mismatch::wrong(expected, format!("panic: {message}"))
        }
    }

    /// An error of the engine where something else was expected.
    pub(crate) fn error(expected: impl Display, error: &rwasm::Error) -> Self {
        match error {
            rwasm::Error::Unsupported(_) => Mismatch::unsupported(expected, error),
            _ => Mismatch::wrong(expected, error),
        }
    }
}

/// Whether a message of the engine is the one that a script states.
///
/// A script gives the beginning. Some give an index after the message that the
/// specification's interpreter prints and others need not: `uninitialized
/// element 2`.
pub(crate) fn message_matches(stated: &str, actual: &str) -> bool {
    actual.starts_with(stated)
        || stated
            .strip_prefix(actual)
            .and_then(|rest| rest.strip_prefix(' '))
            .is_some_and(|index| !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::message_matches;

    #[test]
    fn messages_match_by_prefix() {
        let cases = [
            ("unreachable", "unreachable", true),
            ("uninitialized element", "uninitialized element 7", true),
            ("uninitialized element 2", "uninitialized element", true),
            ("uninitialized element 2", "uninitialized element 7", false),
            ("uninitialized elements", "uninitialized element", false),
            ("undefined element", "undefined", false),
            ("integer overflow", "integer divide by zero", false),
            ("", "anything", true),
            ("unreachable", "", false),
        ];
        for (stated, actual, expected) in cases {
            assert_eq!(
                message_matches(stated, actual),
                expected,
                "{stated:?} {actual:?}"
            );
        }
    }
}
