//! Text: JSON is parsed, changed and written again with serde_json.

use programs::mix;
use serde_json::{Value, json};
use std::process::ExitCode;

fn main() -> ExitCode {
    programs::run(|size| {
        let mut text = document().to_string();
        let mut checksum = 0;
        for round in 0..size * 2 {
            let mut document: Value = serde_json::from_str(&text).expect("it was written here");
            change(&mut document, u64::from(round));
            text = document.to_string();
            checksum = text
                .bytes()
                .fold(checksum, |sum, byte| mix(sum, byte.into()));
        }
        checksum
    })
}

fn document() -> Value {
    let mut random = programs::Random::new(13);
    let words = [
        "alpha",
        "beta\n",
        "gamma \u{3b3}",
        "\"delta\"",
        "epsilon\\",
        "",
    ];
    let records: Vec<Value> = (0..200)
        .map(|id| {
            let tags: Vec<_> = (0..random.below(5))
                .map(|_| words[random.below(6) as usize])
                .collect();
            json!({
                "id": id,
                "name": format!("{} {id}", words[random.below(6) as usize]),
                "score": random.below(100_000) as f64 / 64.0,
                "active": random.below(2) == 0,
                "parent": null,
                "tags": tags,
                "place": { "x": random.below(1000), "y": random.below(1000) },
            })
        })
        .collect();
    Value::Array(records)
}

/// Counts up, turns a flag, moves a record to the end.
fn change(document: &mut Value, round: u64) {
    let Value::Array(records) = document else {
        return;
    };
    for record in &mut *records {
        let x = record["place"]["x"].as_u64().unwrap_or(0);
        record["place"]["x"] = json!((x + round) % 1000);
        record["active"] = json!(x & 1 == 0);
    }
    records.rotate_left(1);
}
