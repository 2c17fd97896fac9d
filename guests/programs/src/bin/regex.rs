//! Text: regular expressions on lines of a log.

use programs::{Random, mix};
use regex_lite::Regex;
use std::process::ExitCode;

const PATTERNS: [&str; 4] = [
    r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})",
    r"(GET|POST) /([a-z]+)/([a-z]*)\?id=(\d+)",
    r"\b[a-z]+ing\b",
    r#""([^"\\]|\\.)*""#,
];

fn main() -> ExitCode {
    programs::run(|size| {
        let patterns = PATTERNS.map(|pattern| Regex::new(pattern).expect("it is correct"));
        let log = log();
        let mut checksum = 0;
        for round in 0..size {
            for pattern in &patterns {
                for found in pattern.captures_iter(&log) {
                    let groups = found.iter().flatten();
                    checksum = groups.fold(checksum, |sum, group| {
                        mix(sum, (group.start() + group.len()) as u64)
                    });
                }
            }
            checksum = mix(checksum, round.into());
        }
        checksum
    })
}

fn log() -> String {
    let mut random = Random::new(17);
    let words = [
        "missing",
        "user",
        "loading",
        "index",
        "retry",
        "a \\\"b\\\" c",
        "string",
        "ok",
    ];
    let mut log = String::new();
    for line in 0..30 {
        let mut word = || words[random.below(8) as usize];
        let (first, second, third) = (word(), word(), word());
        let address = random.next().to_le_bytes();
        log += &format!(
            "{}.{}.{}.{} GET /{second}/{first}?id={line} {first} {second} \"{third}\" {}\n",
            address[0], address[1], address[2], address[3], third
        );
    }
    log
}
