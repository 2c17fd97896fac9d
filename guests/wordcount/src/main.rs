//! Counts the words of all files below a folder: `wordcount FOLDER [TOP]`.
//!
//! Prints the files, bytes, lines, words and different words as one line, and
//! then the `TOP` (default 10) most frequent words with their counts, most
//! frequent first and in byte order among equals.

use std::{
    collections::HashMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let Some(folder) = args.next() else {
        eprintln!("usage: wordcount FOLDER [TOP]");
        return ExitCode::from(2);
    };
    let top = args
        .next()
        .and_then(|top| top.to_str()?.parse().ok())
        .unwrap_or(10);
    let mut totals = Totals::default();
    match totals.add_folder(Path::new(&folder)) {
        Ok(()) => {
            totals.print(top);
            ExitCode::SUCCESS
        }
        Err(Failure { path, error }) => {
            eprintln!("wordcount: {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Totals {
    files: u64,
    bytes: u64,
    lines: u64,
    words: HashMap<String, u64>,
}

struct Failure {
    path: PathBuf,
    error: io::Error,
}

impl Totals {
    fn add_folder(&mut self, folder: &Path) -> Result<(), Failure> {
        let failed = |error| Failure {
            path: folder.to_owned(),
            error,
        };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if entry.file_type().map_err(failed)?.is_dir() {
                self.add_folder(&path)?;
            } else {
                match fs::read(&path) {
                    Ok(content) => self.add_text(&content),
                    Err(error) => return Err(Failure { path, error }),
                }
            }
        }
        Ok(())
    }

    fn add_text(&mut self, text: &[u8]) {
        self.files += 1;
        self.bytes += text.len() as u64;
        self.lines += text.iter().filter(|&&byte| byte == b'\n').count() as u64;
        for word in text.split(|byte| !byte.is_ascii_alphanumeric()) {
            if !word.is_empty() {
                let word = String::from_utf8_lossy(word).to_ascii_lowercase();
                *self.words.entry(word).or_default() += 1;
            }
        }
    }

    fn print(&self, top: usize) {
        let words: u64 = self.words.values().sum();
        println!(
            "{} files, {} bytes, {} lines, {words} words, {} different",
            self.files,
            self.bytes,
            self.lines,
            self.words.len(),
        );
        let mut counts: Vec<_> = self.words.iter().collect();
        counts.sort_unstable_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
        for (word, count) in counts.into_iter().take(top) {
            println!("{count:>8} {word}");
        }
    }
}
