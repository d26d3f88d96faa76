//! A Python with the outside tools (DuckDB, datacontract-cli, aiosmtpd …), installed by the tests themselves.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The interpreter of a virtual environment that holds `requirements.txt`. Made on first use, under a lock, so that
/// tests may ask at the same time; made again when the requirements change.
pub fn python() -> PathBuf {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let environment = base.join("python");
    let interpreter = environment.join("bin/python");
    let marker = environment.join("requirements.installed");
    let lock = File::create(base.join("python.lock")).expect("the lock of the Python environment");
    lock.lock().expect("the lock of the Python environment");
    if fs::read_to_string(&marker).is_ok_and(|text| text == REQUIREMENTS) {
        return interpreter;
    }
    let _ = fs::remove_dir_all(&environment);
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
    let list = base.join("requirements.txt");
    fs::write(&list, REQUIREMENTS).expect("the list of requirements");
    run(Command::new(&interpreter)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(&list));
    fs::write(&marker, REQUIREMENTS).expect("the marker of the Python environment");
    interpreter
}

fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|e| panic!("{command:?}: {e}; these tests need python3 with venv"));
    assert!(
        status.success(),
        "{command:?} failed; these tests install their tools from PyPI"
    );
}

/// Runs a Python script with arguments and returns its output; a failure shows what it wrote.
pub fn script(source: &str, arguments: &[&str]) -> String {
    let output = Command::new(python())
        .arg("-c")
        .arg(source)
        .args(arguments)
        .output()
        .expect("python runs");
    assert!(
        output.status.success(),
        "the script failed:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("the script prints UTF-8")
}
