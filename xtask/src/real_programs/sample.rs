//! A tree of text files that programs read: the same on every machine, large
//! enough to be work, and plain enough to be searched and counted natively.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use crate::error::{Context, Result};

/// The parts that words are made of.
const SYLLABLES: [&str; 16] = [
    "ba", "cor", "den", "fi", "gal", "hu", "in", "jo", "ka", "lem", "mi", "nor", "os", "pre",
    "qui", "sta",
];

const FILES: usize = 120;
const LINES: usize = 200;

/// The files of the tree, by their path in it.
pub struct Sample {
    files: BTreeMap<String, String>,
}

/// What there is to count.
pub struct Counts {
    /// The sums over all files.
    pub bytes: usize,
    /// The line ends.
    pub lines: usize,
    /// The words in lower case, with how often each stands there.
    pub words: BTreeMap<String, usize>,
}

impl Sample {
    /// Makes up the text.
    pub fn new() -> Self {
        let mut random = Random(20_261_123);
        let files = (0..FILES).map(|file| {
            // All names of a level have the same length, so that the order of
            // paths does not depend on how separators are compared.
            let path = format!(
                "part-{}/chapter-{:02}/page-{file:03}.txt",
                file / 40,
                file / 8
            );
            let mut text = String::new();
            for _ in 0..LINES {
                random.line(&mut text);
            }
            (path, text)
        });
        Self {
            files: files.collect(),
        }
    }

    /// Writes the files below `folder`.
    pub fn write_to(&self, folder: &Path) -> Result<()> {
        for (path, text) in &self.files {
            let file = folder.join(path);
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder).at(folder)?;
            }
            fs::write(&file, text).at(&file)?;
        }
        Ok(())
    }

    /// The paths and texts, in the order of paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Counts natively.
    pub fn count(&self) -> Counts {
        let mut counts = Counts {
            bytes: 0,
            lines: 0,
            words: BTreeMap::new(),
        };
        for text in self.files.values() {
            counts.bytes += text.len();
            counts.lines += text.lines().count();
            for word in words(text) {
                *counts.words.entry(word.to_ascii_lowercase()).or_default() += 1;
            }
        }
        counts
    }
}

impl Counts {
    /// The `top` most frequent words as lines, in the format of the guests.
    pub fn top(&self, top: usize) -> String {
        let mut sorted: Vec<_> = self.words.iter().collect();
        // The sort is stable, and the words come in their order.
        sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        sorted
            .iter()
            .take(top)
            .fold(String::new(), |mut lines, (word, count)| {
                writeln!(lines, "{count:>8} {word}").expect("a string can be written to");
                lines
            })
    }
}

/// The words of a text.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
}

struct Random(u64);

impl Random {
    /// A number below `limit`, by xorshift64.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as usize % limit
    }

    fn line(&mut self, text: &mut String) {
        for position in 0..2 + self.below(11) {
            if position > 0 {
                text.push_str([" ", " ", " ", ", ", " - "][self.below(5)]);
            }
            let start = text.len();
            // The product of two numbers makes some words far more frequent.
            let number = self.below(64) * self.below(64);
            text.push_str(SYLLABLES[number % 16]);
            text.push_str(SYLLABLES[number / 16 % 16]);
            if number >= 256 {
                text.push_str(SYLLABLES[number / 256]);
            }
            if position == 0 {
                text[start..].make_ascii_uppercase();
            }
        }
        text.push_str(".\n");
    }
}
