//! What is said of a guest, whoever runs it: `rwasm run` and `rwasm serve`.

use std::ffi::OsString;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use rwasm::Config;

use super::{CacheFolder, DirGrant, EnvGrant, Proposals, Tier, byte_size};
use crate::cache;

/// What a guest is given, and how its code is run.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct GuestArgs {
    /// Let the guest use the folder HOST under the name GUEST (its name as
    /// given, if left out), and nothing outside of it; `:ro` for reading only.
    /// Without --dir it sees no file
    #[arg(
        long = "dir",
        value_name = "HOST[::GUEST][:ro]",
        value_parser = OsStringValueParser::new().try_map(|text| DirGrant::parse(&text)),
    )]
    pub dirs: Vec<DirGrant>,

    /// Set an environment variable, or pass on the one of this name. Nothing
    /// else is passed on
    #[arg(
        long = "env",
        value_name = "NAME[=VALUE]",
        value_parser = OsStringValueParser::new().try_map(|text| EnvGrant::parse(&text)),
    )]
    pub env: Vec<EnvGrant>,

    /// The most that one memory may have, and the most that the objects of a
    /// garbage-collected guest may take (`64MiB`)
    #[arg(long, value_name = "SIZE", value_parser = byte_size)]
    pub max_memory: Option<u64>,

    /// The most that the stack of the guest may have (`1MiB`)
    #[arg(long, value_name = "SIZE", value_parser = byte_size)]
    pub max_stack: Option<u64>,

    /// How code is executed
    #[arg(long, value_enum, default_value_t = Tier::default())]
    pub tier: Tier,

    #[command(flatten)]
    pub proposals: Proposals,

    #[command(flatten)]
    pub cache: CacheFolder,

    /// Remember nothing from run to run, and use nothing from earlier runs
    #[arg(long, conflicts_with = "cache_dir")]
    pub no_cache: bool,
}

impl GuestArgs {
    /// The variables that it is given, by name. One that the host has not is not
    /// there for the guest either.
    pub fn variables(&self) -> impl Iterator<Item = (OsString, OsString)> {
        self.env.iter().filter_map(|grant| {
            let inherited = || std::env::var_os(&grant.name);
            let value = grant.value.clone().or_else(inherited)?;
            Some((grant.name.clone(), value))
        })
    }

    /// How its code is run.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config.tier(self.tier.into());
        self.proposals.apply(&mut config);
        if !self.no_cache {
            config.cache(cache::of(&self.cache));
        }
        config
    }
}
