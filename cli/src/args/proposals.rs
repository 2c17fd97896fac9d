//! `-W`: the proposals beyond version 3.0 of WebAssembly that are accepted.

use clap::Args;
use rwasm::Config;

/// The options about what WebAssembly is accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Proposals {
    /// Accept a proposal beyond WebAssembly 3.0: `threads`, `wide-arithmetic` or
    /// `custom-page-sizes`; several with commas between them
    #[arg(
        long = "wasm",
        short = 'W',
        value_name = "PROPOSAL[=y|n],...",
        value_delimiter = ',',
        value_parser = Toggle::parse,
    )]
    toggles: Vec<Toggle>,
}

/// One proposal, on or off. The last one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Toggle {
    proposal: &'static Proposal,
    on: bool,
}

/// A proposal.
#[derive(Debug, PartialEq, Eq)]
struct Proposal {
    /// Its name, here and in the command line of wasmtime.
    name: &'static str,
    kind: Kind,
    /// What is in the validator's words where it is needed and not on.
    symptom: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Threads,
    WideArithmetic,
    CustomPageSizes,
}

const PROPOSALS: &[Proposal] = &[
    Proposal {
        name: "threads",
        kind: Kind::Threads,
        symptom: "threads",
    },
    Proposal {
        name: "wide-arithmetic",
        kind: Kind::WideArithmetic,
        symptom: "wide arithmetic",
    },
    Proposal {
        name: "custom-page-sizes",
        kind: Kind::CustomPageSizes,
        symptom: "custom page sizes",
    },
];

impl Proposals {
    /// Whether guests may have threads.
    pub fn threads(&self) -> bool {
        let of_threads = |toggle: &&Toggle| toggle.proposal.kind == Kind::Threads;
        self.toggles
            .iter()
            .rfind(of_threads)
            .is_some_and(|toggle| toggle.on)
    }

    /// Configures an engine.
    pub fn apply(&self, config: &mut Config) {
        for &Toggle { proposal, on } in &self.toggles {
            match proposal.kind {
                Kind::Threads => config.threads(on),
                Kind::WideArithmetic => config.wide_arithmetic(on),
                Kind::CustomPageSizes => config.custom_page_sizes(on),
            };
        }
    }
}

impl Toggle {
    fn parse(text: &str) -> Result<Toggle, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, "y"));
        let on = match value {
            "y" | "yes" | "true" => true,
            "n" | "no" | "false" => false,
            _ => return Err(format!("write {name}=y or {name}=n")),
        };
        match PROPOSALS.iter().find(|proposal| proposal.name == name) {
            Some(proposal) => Ok(Toggle { proposal, on }),
            None => {
                let names: Vec<&str> = PROPOSALS.iter().map(|proposal| proposal.name).collect();
                Err(format!("there are {}", names.join(", ")))
            }
        }
    }
}

/// What to add to the validator's message if the module needs a proposal that
/// is off.
pub fn hint(message: &str) -> Option<String> {
    if !message.contains("enabled") {
        return None;
    }
    let needed = |proposal: &&Proposal| message.contains(proposal.symptom);
    let proposal = PROPOSALS.iter().find(needed)?;
    Some(format!("; -W {} accepts it", proposal.name))
}
