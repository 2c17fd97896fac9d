//! WebAssembly text to binary, and errors in it with the place shown.

use wast::Wat;
use wast::lexer::{Lexer, TokenKind};
use wast::parser::{self, ParseBuffer};

use crate::error::ParseError;

/// How many characters before an error are shown of its line.
const SHOWN_BEFORE: usize = 60;

/// How many characters from an error on are shown of its line.
const SHOWN_AFTER: usize = 40;

/// The binary encoding of a text module; `name` is for errors alone.
pub(crate) fn to_binary(bytes: &[u8], name: Option<&str>) -> Result<Vec<u8>, ParseError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = "malformed UTF-8 encoding".to_owned();
        error_at(
            &String::from_utf8_lossy(bytes),
            error.valid_up_to(),
            name,
            message,
        )
    })?;
    if is_component(text) {
        return Err(ParseError::Component);
    }
    encode(text).map_err(|error| error_at(text, error.span().offset(), name, error.message()))
}

fn encode(text: &str) -> Result<Vec<u8>, wast::Error> {
    let mut lexer = Lexer::new(text);
    // Names in any script are valid. What could mislead a reader's eye is
    // replaced where an error shows it.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    parser::parse::<Wat<'_>>(&buffer)?.encode()
}

/// Whether a text starts with `(component`.
fn is_component(text: &str) -> bool {
    let lexer = Lexer::new(text);
    let mut tokens = lexer.iter(0).map_while(Result::ok).filter(|token| {
        !matches!(
            token.kind,
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment
        )
    });
    let (first, second) = (tokens.next(), tokens.next());
    first.is_some_and(|token| token.kind == TokenKind::LParen)
        && second
            .is_some_and(|token| token.kind == TokenKind::Keyword && token.src(text) == "component")
}

/// An error at a byte offset of a text.
fn error_at(text: &str, offset: usize, name: Option<&str>, message: String) -> ParseError {
    let mut offset = text.floor_char_boundary(offset);
    // What is missing at the end is missing after the last word, not after the
    // blank lines that follow it.
    if text[offset..].trim().is_empty() {
        offset = offset.min(text.trim_end().len());
    }
    let (before, after) = text.split_at(offset);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let before_in_line = &before[line_start..];
    let (line_text, caret) = shown(before_in_line, after.lines().next().unwrap_or_default());
    ParseError::Text {
        file: name.map(str::to_owned),
        line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
        column: before_in_line.chars().count() + 1,
        line_text,
        caret,
        message,
    }
}

/// What an error shows of its line, and how many characters of that come
/// before the error.
fn shown(before: &str, after: &str) -> (String, usize) {
    let mut line = String::new();
    let mut skipped = before.char_indices().rev().skip(SHOWN_BEFORE - 1);
    let start = skipped.next().map_or(0, |(start, _)| start);
    if start > 0 {
        line.push('…');
    }
    line.extend(before[start..].chars().map(printable));
    let caret = line.chars().count();
    let mut rest = after.chars().map(printable);
    line.extend(rest.by_ref().take(SHOWN_AFTER));
    if rest.next().is_some() {
        line.push('…');
    }
    (line, caret)
}

/// A character as it can be shown in a terminal: one that moves the cursor or
/// reorders the line would misplace the caret, or worse.
fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}
