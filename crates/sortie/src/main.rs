//! The command-line tool; see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    sortie::main()
}
