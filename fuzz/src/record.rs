//! What a runtime did with a case, in terms that all runtimes share.

use std::fmt;

/// A value. References are told apart by whether they are null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
    Null,
    Reference,
}

/// Why guest code did not return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A trap of this kind.
    Trap(&'static str),
    /// An exception that nothing caught.
    Exception,
    /// A limit that is each runtime's own: stack, memory. Nothing after it can
    /// be compared.
    OwnLimit(String),
    /// The runtime does not execute something. Neither can the rest be compared.
    Unsupported(String),
    /// Any other error, by its text.
    Other(String),
}

/// One thing that can be seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Instantiation or a call returned these.
    Returned(Vec<Value>),
    /// It did not return.
    Stopped(Stop),
    /// How often the host was called so far, and a digest of all arguments.
    Host { calls: u64, digest: u64 },
    /// The size of a memory, and a digest of its bytes.
    Memory { bytes: u64, digest: u64 },
    /// The size of a table, and a digest of which elements are null.
    Table { elements: u64, digest: u64 },
    /// A global's value.
    Global(Value),
}

/// All that a runtime did with a case, in order.
#[derive(Default)]
pub struct Record {
    /// What was done, and what was seen.
    pub steps: Vec<(String, Step)>,
}

/// What comparing two records gave.
pub enum Verdict {
    /// They are the same.
    Same,
    /// They are the same up to a step that is not comparable.
    Cut(Stop),
    /// They differ.
    Different(String),
}

impl Record {
    /// Adds a step. Returns whether the next ones can be compared as well.
    pub fn add(&mut self, what: impl Into<String>, step: Step) -> bool {
        let goes_on = !step.is_cut();
        self.steps.push((what.into(), step));
        goes_on
    }
}

impl Record {
    /// How many steps of each kind there are, to see that cases do something.
    pub fn tally(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.steps.iter().filter_map(|(_, step)| {
            let kind = match step {
                Step::Returned(_) => "  calls that returned",
                Step::Stopped(Stop::Trap(_)) => "  calls that trapped",
                Step::Stopped(Stop::Exception) => "  calls that threw",
                Step::Stopped(_) => "  calls that ended otherwise",
                Step::Memory { .. } => "  memories",
                Step::Table { .. } => "  tables",
                Step::Global(_) => "  globals",
                Step::Host { .. } => return None,
            };
            Some((kind, 1))
        })
    }
}

impl Step {
    /// What instantiation or a call came to.
    pub fn of(outcome: Result<Vec<Value>, Stop>) -> Step {
        match outcome {
            Ok(values) => Step::Returned(values),
            Err(stop) => Step::Stopped(stop),
        }
    }

    fn is_cut(&self) -> bool {
        matches!(
            self,
            Step::Stopped(Stop::OwnLimit(_) | Stop::Unsupported(_))
        )
    }
}

/// Compares what two runtimes did.
pub fn compare((a_name, a): (&str, &Record), (b_name, b): (&str, &Record)) -> Verdict {
    let (mut a, mut b) = (a.steps.iter(), b.steps.iter());
    loop {
        let (a_step, b_step) = match (a.next(), b.next()) {
            (None, None) => return Verdict::Same,
            (Some(a), Some(b)) => (a, b),
            (Some(step), None) => return missing(b_name, step),
            (None, Some(step)) => return missing(a_name, step),
        };
        for (_, step) in [a_step, b_step] {
            if let Step::Stopped(stop) = step
                && step.is_cut()
            {
                return Verdict::Cut(stop.clone());
            }
        }
        if a_step != b_step {
            let ((what, a), (_, b)) = (a_step, b_step);
            return Verdict::Different(format!("{what}: {a_name} {a}, {b_name} {b}"));
        }
    }
}

fn missing(name: &str, (what, step): &(String, Step)) -> Verdict {
    Verdict::Different(format!(
        "{what}: {name} has no such step; the other has {step}"
    ))
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Returned(values) => write!(f, "returned {values:x?}"),
            step => write!(f, "{step:x?}"),
        }
    }
}

/// The kind of a trap by its message: runtimes word them differently, and some
/// do not tell all kinds apart.
pub fn trap_kind(message: &str) -> Stop {
    /// Parts of messages, and the kinds that they belong to. The first that is
    /// found counts.
    const KINDS: &[(&str, &str)] = &[
        ("stack", "own limit"),
        ("fuel", "own limit"),
        ("allocation", "own limit"),
        ("unreachable", "unreachable"),
        ("array access", "array bounds"),
        ("array out of bounds", "array bounds"),
        ("out of bounds array", "array bounds"),
        ("memory", "memory bounds"),
        ("uninitialized element", "null element"),
        ("undefined element", "table bounds"),
        ("table", "table bounds"),
        ("indirect call", "signature"),
        ("divi", "division by zero"),
        ("integer overflow", "integer overflow"),
        ("conversion", "conversion"),
        ("cast", "cast"),
        ("null", "null"),
        ("unaligned", "alignment"),
        ("exception", "exception"),
    ];
    let message = message.to_lowercase();
    match KINDS.iter().find(|(part, _)| message.contains(part)) {
        Some((_, "own limit")) => Stop::OwnLimit(message),
        Some((_, "exception")) => Stop::Exception,
        Some((_, kind)) => Stop::Trap(kind),
        None => Stop::Other(message),
    }
}

/// FNV-1a over 64-bit words: fast, and the same everywhere.
#[derive(Clone, Copy)]
pub struct Digest(u64);

impl Digest {
    pub fn new() -> Self {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    pub fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x100_0000_01b3);
        self.0 ^= self.0 >> 29;
    }

    pub fn value(&mut self, value: Value) {
        let (tag, low, high) = match value {
            Value::I32(bits) => (0, bits.into(), 0),
            Value::I64(bits) => (1, bits, 0),
            Value::F32(bits) => (2, bits.into(), 0),
            Value::F64(bits) => (3, bits, 0),
            Value::V128(bits) => (4, bits as u64, (bits >> 64) as u64),
            Value::Null => (5, 0, 0),
            Value::Reference => (6, 0, 0),
        };
        for word in [tag, low, high] {
            self.word(word);
        }
    }

    pub fn bytes(bytes: &[u8]) -> u64 {
        let mut digest = Digest::new();
        let (words, rest) = bytes.as_chunks::<8>();
        words
            .iter()
            .for_each(|word| digest.word(u64::from_le_bytes(*word)));
        rest.iter().for_each(|&byte| digest.word(byte.into()));
        digest.0
    }

    pub fn finish(self) -> u64 {
        self.0
    }
}
