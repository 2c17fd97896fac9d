//! Why something is no module that can be used.

use std::fmt;

use crate::detect::FileKind;

/// Why something is no valid WebAssembly module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A binary module is malformed or invalid.
    #[error("invalid WebAssembly module: {message} (at offset {offset:#x})")]
    Binary {
        /// Where in the module.
        offset: u64,
        /// What is wrong there, in the validator's words.
        message: String,
    },
    /// A text module is malformed.
    #[error("{}", TextReport { file, line, column, line_text, caret, message })]
    Text {
        /// The name that the text was given with.
        file: Option<String>,
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error in characters, from 1.
        column: usize,
        /// The line as it can be shown: control characters replaced, and cut
        /// to the error's surroundings if it is long.
        line_text: String,
        /// How many characters of `line_text` come before the error.
        caret: usize,
        /// What is wrong there.
        message: String,
    },
    /// It is a component, not a core module.
    #[error(
        "this is a WebAssembly component, and only core modules can be run; build the program \
         for the target `wasm32-wasip1`, or extract the core module from the component"
    )]
    Component,
    /// It is some other kind of file.
    #[error("this is no WebAssembly module but {what}")]
    NotWasm {
        /// What it looks like.
        what: FileKind,
    },
    /// There are no bytes at all.
    #[error("this is no WebAssembly module: it is empty")]
    Empty,
    /// It goes beyond a limit of this implementation.
    #[error("the module exceeds a limit: {what} is {actual}, and at most {limit} is supported")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// The largest supported value.
        limit: u64,
        /// The value found.
        actual: u64,
    },
}

impl ParseError {
    /// What is wrong in a module, without where: the words of the validator or
    /// of the text parser where it is theirs.
    pub fn message(&self) -> String {
        match self {
            Self::Binary { message, .. } | Self::Text { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }

    /// Where in a binary module the error is.
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Binary { offset, .. } => Some(*offset),
            _ => None,
        }
    }
}

impl From<wasmparser::Error> for ParseError {
    fn from(error: wasmparser::Error) -> Self {
        Self::Binary {
            offset: error.offset(),
            message: error.message().to_owned(),
        }
    }
}

/// How a text error reads: a sentence, the line, and a caret below the place.
struct TextReport<'a> {
    file: &'a Option<String>,
    line: &'a usize,
    column: &'a usize,
    line_text: &'a str,
    caret: &'a usize,
    message: &'a str,
}

impl fmt::Display for TextReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            line_text,
            caret,
            message,
        } = self;
        write!(f, "invalid WebAssembly text at ")?;
        match file {
            Some(file) => write!(f, "{file}:{line}:{column}")?,
            None => write!(f, "line {line}, column {column}")?,
        }
        let margin = line.to_string().len();
        write!(
            f,
            ": {message}\n  {line} | {line_text}\n  {:margin$} | {:caret$}^",
            "", ""
        )
    }
}
