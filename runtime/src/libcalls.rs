//! Instructions that both tiers leave to Rust: bulk memory and table
//! operations, growth, and the making of function references.
//!
//! Each takes the raw instance block of the running function and indices that
//! validation has checked, and returns the trap instead of raising it, so that
//! each tier raises it in its own way. They are `unsafe` because the block must
//! be live and the indices valid for its module.
