//! A greeting through Rust's standard library: what a WASI command costs once
//! arguments, environment and buffered output are set up for it.

fn main() {
    let name = std::env::args().nth(1);
    println!("Hello, {}!", name.as_deref().unwrap_or("world"));
}
