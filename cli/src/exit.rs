//! The exit codes of `rwasm`, where they are not the guest's own.

/// The file is no module, cannot be linked, or cannot be read; a script failed.
pub const FAILED: u8 = 1;

/// The command line is wrong. It is what clap uses too.
pub const USAGE: u8 = 2;

/// The guest ran longer than `--timeout`; what `timeout(1)` uses.
pub const TIMED_OUT: u8 = 124;

/// The guest trapped or threw what nothing caught; what a shell reports for a process that aborted.
pub const TRAPPED: u8 = 134;

/// The table that ends every `--help`.
pub const HELP: &str = "\
Exit codes:
  0-255  the guest's own, where it ends by itself
  1      the file is no module, cannot be linked, or cannot be read
  2      the command line is wrong
  124    the guest ran longer than --timeout
  134    the guest trapped, threw an exception that nothing caught, or used up
         its --fuel or its --max-stack";

/// The exit code of the process for the code that the guest gave to
/// `proc_exit`: the low 8 bits, as the kernel does for a native program.
pub fn of_guest(code: i32) -> u8 {
    code as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_code() {
        for code in [FAILED, USAGE, TIMED_OUT, TRAPPED] {
            assert!(HELP.contains(&format!("\n  {code:<5}  ")), "{code}");
        }
    }

    #[test]
    fn guest_codes_are_cut_as_the_kernel_does() {
        for (code, expected) in [(0, 0), (126, 126), (255, 255), (256, 0), (-1, 255)] {
            assert_eq!(of_guest(code), expected);
        }
    }
}
