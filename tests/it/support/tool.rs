//! Programs of the system that prove what we write.

use std::io::Write as _;
use std::process::Command;

/// Whether a program is there. Without it the test is skipped loudly with what is lost, and fails where tools are
/// required.
pub fn has_tool(program: &str, debian_package: &str, lost: &str) -> bool {
    let is_found = Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success());
    if !is_found {
        let is_required = std::env::var_os("STARLEDGER_REQUIRE_TOOLS").is_some();
        assert!(
            !is_required,
            "{program} is not installed, and STARLEDGER_REQUIRE_TOOLS is set"
        );
        // past the capture of the test runner, so that it is seen
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: {program} is not installed (Debian: apt-get install {debian_package}); {lost}"
        );
    }
    is_found
}
