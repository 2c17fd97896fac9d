//! Asks servers for documents and has them check documents, and says how long
//! that took.
//!
//! ```text
//! payload-load --servers HOST:PORT[,…] --get PATH [--post PATH=FILE --get-share S]
//!              (--rate R | --clients N) --seconds S [--warm-up S] [--seed N]
//!              [--connections N]
//! ```
//! With `--rate`, requests arrive at random (a Poisson process of that rate,
//! the same for everybody who has the same seed), whether or not earlier ones
//! were answered. A request's time begins with its arrival, so that waiting for a
//! connection counts: what slows a server down is seen in all requests that it
//! delays. With `--clients`, so many clients ask again as soon as they have an
//! answer.
//!
//! The result is JSON on the standard output. And `payload-load start …` prints how
//! many milliseconds a server takes to start ([`start::measure`]).

mod arrivals;
mod client;
mod options;
mod outcome;
mod start;

use std::error::Error;

use options::{Options, Pace};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("start", args)) = args.split_first().map(|(first, args)| (&**first, args)) {
        println!("{:.3}", start::measure(args)?.as_secs_f64() * 1e3);
        return Ok(());
    }
    let options = Options::parse(args.into_iter())?;
    let outcome = match options.pace {
        Pace::Rate(rate) => arrivals::open(&options, rate).await,
        Pace::Clients(clients) => arrivals::closed(&options, clients).await,
    };
    println!("{:#}", outcome.json());
    Ok(())
}
