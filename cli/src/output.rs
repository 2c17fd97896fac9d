//! Writing to standard output and standard error without ever panicking:
//! `println!` does, when the reader has gone or the disk is full.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write};

use crate::exit;
use crate::failure::{Failure, Result};

/// Writes `text` to standard output. A reader that has gone has seen what it
/// wanted: that is no failure.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            exit::FAILED,
            format!("cannot write to standard output: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Writes a failure to standard error, where a failure to write has nowhere
/// to be told.
pub fn complain(failure: &Failure) {
    note(&failure.message);
}

/// Writes one line to standard error, marked as ours and not the guest's.
pub fn note(text: &str) {
    let line = format!("rwasm: {}\n", printable(text));
    let _ = io::stderr().write_all(line.as_bytes());
}

/// `text` without what would steer a terminal: names in modules may hold
/// anything. Ends of lines stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// Control characters, and those that turn the direction of writing.
fn steers(c: char) -> bool {
    const TURNS: [std::ops::RangeInclusive<char>; 2] =
        ['\u{202a}'..='\u{202e}', '\u{2066}'..='\u{2069}'];
    c != '\n' && (c.is_control() || TURNS.iter().any(|turns| turns.contains(&c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        for (text, shown) in [
            ("plain é\n…", "plain é\n…"),
            ("\x1b[2J", "\\u{1b}[2J"),
            ("a\rb\tc", "a\\rb\\tc"),
            ("\u{202e}x", "\\u{202e}x"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }
}
